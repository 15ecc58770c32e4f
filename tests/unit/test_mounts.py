"""What of the host a person's container sees."""

from __future__ import annotations

from pathlib import PurePosixPath

from tinyberth_warden.mounts import engine_mount, resolve_mounts


def test_the_home_is_the_only_writable_mount():
    mounts = resolve_mounts("alice", (), PurePosixPath("/srv/tb"), "tb_hub-run")
    assert {m.container_target: (m.host_source, m.read_only) for m in mounts} == {
        "/home/alice": ("/srv/tb/users/alice", False),
        "/datasets": ("/srv/tb/datasets", True),
        "/opt/tinyberth/presets-site": ("/srv/tb/presets", True),
        "/var/lib/extrausers": ("/srv/tb/ledger", True),
        "/run/tinyberth/hub": ("tb_hub-run", True),
    }


def test_teams_are_writable_and_stand_at_their_names():
    mounts = resolve_mounts("alice", ("nlp", "vision"), PurePosixPath("/srv/tb"), "tb_hub-run")
    assert {m.container_target: m.host_source for m in mounts if not m.read_only} == {
        "/home/alice": "/srv/tb/users/alice",
        "/teams/nlp": "/srv/tb/teams/nlp",
        "/teams/vision": "/srv/tb/teams/vision",
    }


def test_two_people_share_no_writable_source():
    def writable(login):
        mounts = resolve_mounts(login, (), PurePosixPath("/srv/tb"), "tb_hub-run")
        return {mount.host_source for mount in mounts if not mount.read_only}

    assert not writable("alice") & writable("bob")


def test_a_missing_source_fails_and_no_mount_travels():
    for mount in resolve_mounts("alice", (), PurePosixPath("/srv/tb"), "tb_hub-run"):
        body = engine_mount(mount)
        if mount.volume:
            assert body["Type"] == "volume"
            assert body["VolumeOptions"] == {"NoCopy": True}
        else:
            assert body["Type"] == "bind"
            assert body["BindOptions"] == {"Propagation": "rprivate", "CreateMountpoint": False}
