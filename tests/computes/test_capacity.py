"""What this machine has."""

import os

from lazulite.computes.capacity import Machine, node_of, this_machine


def test_a_control_group_holds_back_what_it_says(tmp_path):
    free = this_machine(tmp_path)
    assert free.cores == len(os.sched_getaffinity(0))
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text(f"{2**29}\n")
    assert this_machine(tmp_path) == Machine(1, 0.5)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert this_machine(tmp_path) == free


def test_a_size_gets_at_most_the_machine():
    machine = Machine(2, 8.0)
    assert node_of("STANDARD_d1", machine) == Machine(1, 3.5)
    assert node_of("Standard_DS3_v2", machine) == machine
    assert node_of("Standard_ND96asr", machine) == machine
