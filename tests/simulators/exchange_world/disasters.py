"""What befalls the world: programs die, disks are copied, set back or rot, a city is restored, clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

MOST_MACHINES = 6


class Disasters:
    """Steps of the world that nobody wishes for; the state is the world's own."""

    __slots__ = ()

    def _crash(self, a: int, b: int) -> None:
        who = ["city", *(f"{program}:{one.number}" for one in self.machines for program in ("edge", "courier"))]
        self.fuses.arm(who[a % len(who)], 1 + b % 9)

    def _halt(self, a: int, _b: int) -> None:
        """The machine is switched off and on."""
        self._machine(a).restart()

    def _backup(self, _a: int, _b: int) -> None:
        self.backups.append(self.city.ledger.copy())

    def _verify(self, _a: int, _b: int) -> None:
        if not self.backups:
            return
        try:
            self.city.backed_up(self.backups[-1])
        finally:  # a gateway that dies after the commit has given the mark all the same
            for node, row in self.city.ledger.rows.items():
                self.published[node] = max(row.stable, self.published.get(node, 0))

    def _restore(self, a: int, b: int) -> None:
        """Never to a state older than the stable mark that was given; what was given up may go on talking."""
        stable = {node: mark for node, mark in self.published.items() if mark}
        fit = [
            place
            for place, backup in enumerate(self.backups)
            if all(node in backup.rows and backup.rows[node].head.seq >= mark for node, mark in stable.items())
        ]
        if not fit:
            return
        place = fit[a % len(fit)]
        self.zombie = replace(self.city, ledger=self.city.ledger.copy()) if b % 2 else None
        self.epochs.append(f"{len(self.epochs) + 1:032x}")
        self.city.restore(self.backups[place], self.epochs[-1])
        del self.backups[place + 1 :]

    def _clone(self, a: int, _b: int) -> None:
        """A copy of a disk goes on beside it in another machine."""
        if len(self.machines) < MOST_MACHINES:
            one = self._machine(a)
            number, folder = len(self.machines), one.folder.copy()
            self.machines.append(replace(one, number=number, folder=folder, obeyed=list(one.obeyed), checked=None))
            self.machines[-1].restart()

    def _image(self, a: int, _b: int) -> None:
        machine = self._machine(a)
        self.images.append((machine.number, machine.folder.copy()))

    def _rollback(self, a: int, _b: int) -> None:
        """An old image of the disk is put back; what was only on the disk is gone."""
        if self.images:
            number, image = self.images[a % len(self.images)]
            machine = self.machines[number]
            kept = {one.op.op_id for one in image.desk.journal}
            self.excused |= {one.op.op_id for one in machine.desk.journal} - kept
            machine.folder = image.copy()
            machine.obeyed.clear()
            self.floors.pop(number, None)
            machine.restart()

    def _reenrol(self, a: int, _b: int) -> None:
        """A person enrols a stopped machine anew."""
        machine = self._machine(a)
        if machine.desk.stopped or machine.folder.refused or machine.node not in self.city.ledger.rows:
            node = self.fresh()
            self.city.enrol(node, machine.site, machine.role, replaces=machine.node)
            machine.re_enrol(node)

    def _clock(self, a: int, _b: int) -> None:
        """The city's clock jumps, years if it must be."""
        jump = (-3650, -1, 1, 3650)[a % 4]
        self.city.clock += timedelta(days=jump)

    def _tick(self, a: int, _b: int) -> None:
        self.city.clock += timedelta(minutes=1 + a % 60)

    def _rotate(self, _a: int, _b: int) -> None:
        self.city.keys.add(max(self.city.keys) + 1)

    def _dictionary(self, _a: int, _b: int) -> None:
        self.city.dictionaries += 1

    def _catalog(self, a: int, _b: int) -> None:
        """The machine takes a release: newest dictionary and recipient key; never an older one."""
        desk = self._machine(a).desk
        desk.dictionaries = max(desk.dictionaries, self.city.dictionaries)
        desk.key = max(desk.key, *self.city.keys)

    def _rot(self, a: int, b: int) -> None:
        """A scan rots in the vault, or what the city holds of an unfinished one is lost."""
        machine = self._machine(a)
        if b % 2 and machine.folder.vault:
            names = sorted(machine.folder.vault)
            machine.folder.vault[names[a % len(names)]] = "rotten"
        else:
            for scan, held in list(self.city.ledger.scans.items()):
                if held < 3:
                    del self.city.ledger.scans[scan]
