"""Every page that watches a spawn sees every step, in order."""

from __future__ import annotations

import asyncio

from tinyberth_hub.spawn_steps import SpawnSteps


async def _first(steps: SpawnSteps, count: int) -> list[str]:
    seen = []
    async for event in steps.follow():
        seen.append(event["message"])
        if len(seen) == count:
            break
    return seen


def test_early_and_late_watchers_see_the_same_steps() -> None:
    async def scene() -> tuple[list[str], list[str]]:
        steps = SpawnSteps()
        early = asyncio.create_task(_first(steps, 3))
        for number in range(3):
            await steps.say(number * 10, f"step {number}")
            await asyncio.sleep(0)
        late = await _first(steps, 3)
        return await early, late

    early, late = asyncio.run(scene())
    assert early == late == ["step 0", "step 1", "step 2"]
