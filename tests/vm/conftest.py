# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots each guest that the selected tests want once, two at a time; hands out what they said."""
import concurrent.futures

import pytest

import vm


class Guests:
    """The boots of this test run, started together by the first test that wants one."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.pool = concurrent.futures.ThreadPoolExecutor(max_workers=2)
        self.boots = None

    def results(self, name):
        if self.boots is None:
            try:
                vm.make_kit()
            except vm.KitMissing as missing:
                self.boots = missing
            else:
                self.boots = {name: self.pool.submit(vm.run, name) for name in self.wanted}
        if isinstance(self.boots, vm.KitMissing):
            pytest.skip(f"no kit to boot a kernel with: {self.boots}")
        try:
            return self.boots[name].result()
        except vm.CannotBoot as why:
            pytest.skip(str(why))


@pytest.fixture(scope="session")
def guests(request):
    wanted = [item.callspec.params["scenario"] for item in request.session.items
              if "scenario" in getattr(getattr(item, "callspec", None), "params", {})]
    made = Guests(list(dict.fromkeys(wanted)))
    yield made
    made.pool.shutdown(cancel_futures=True)
