"""The ledger: who is who, and where their files lie.

It alone writes ``data/``: the passwd(5) and group(5) files, and the folders of people and teams.
It has no way to the engine. It serves the hub, and the warden, over a unix socket.
"""
