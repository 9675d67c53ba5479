"""Runs cases one after the other and says which have failed."""

import asyncio
import inspect
import multiprocessing
import os
import sys
import time
import traceback

WAIT_S = 15


async def eventually(is_so, shown=lambda: ""):
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, f"still {shown()}"
        await asyncio.sleep(0.02)


def eventually_now(is_so, shown=lambda: ""):
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, f"still {shown()}"
        time.sleep(0.02)


class Cases:
    def __init__(self, client):
        self.client = client
        self.failed = 0
        self.passed = 0

    async def run(self, name, case):
        """Calls the case with a name that no other case uses."""
        try:
            done = case(f"python-{os.getpid()}-{self.passed + self.failed}")
            if inspect.isawaitable(done):
                await done
            self.passed += 1
            print(f"ok {self.client}: {name}", flush=True)
        except Exception:
            self.failed += 1
            print(f"FAILED {self.client}: {name}", flush=True)
            traceback.print_exc(file=sys.stdout)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        # The clients leave processes and threads behind.
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(0 if self.failed == 0 and self.passed > 0 else 1)
