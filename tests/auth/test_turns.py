"""Turns are taken one at a time, by threads and by processes."""

import os
import threading
import time

from sievemda.auth.turns import Turns


def test_threads_and_processes_take_turns(tmp_path):
    turns, log = Turns(), tmp_path / "log"

    def work(name):
        for _ in range(20):
            with turns, log.open("a") as out:
                out.write(f"{name} begin\n")
                out.flush()
                time.sleep(0.001)
                out.write(f"{name} end\n")

    pids = []
    for number in range(2):
        pid = os.fork()
        if not pid:
            try:
                work(f"process{number}")
            finally:
                os._exit(0)
        pids.append(pid)
    threads = [threading.Thread(target=work, args=(f"thread{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pid in pids:
        os.waitpid(pid, 0)
    lines = log.read_text().split("\n")[:-1]
    assert len(lines) == 160
    assert [line.split()[0] for line in lines[::2]] == [line.split()[0] for line in lines[1::2]]
    assert {line.split()[1] for line in lines[::2]} == {"begin"}


def test_who_is_killed_in_his_turn_keeps_nobody_waiting():
    turns = Turns()
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        turns.__enter__()
        os.write(writing, b"1")
        time.sleep(60)
        os._exit(0)
    os.read(reading, 1)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    with turns:
        pass
    os.close(reading)
    os.close(writing)


def test_threads_of_two_processes_that_hold_what_others_of_them_want_are_no_deadlock():
    mine, theirs = Turns(), Turns()
    begun, to_begin = os.pipe()
    held, to_hold = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(begun, 1)
        with theirs:
            threading.Thread(target=mine.__enter__, daemon=True).start()
            time.sleep(0.1)  # by now it waits
            os.write(to_hold, b"1")
            time.sleep(0.2)  # by now the others wait
        os._exit(0)
    with mine:
        os.write(to_begin, b"1")
        os.read(held, 1)
        with theirs:
            pass
    assert os.waitpid(pid, 0)[1] == 0
    for end in (begun, to_begin, held, to_hold):
        os.close(end)


def test_threads_have_their_turns_in_the_order_in_which_they_came():
    turns, order, threads = Turns(), [], []

    def again_and_again(number):
        for _ in range(3):
            with turns:
                order.append(number)

    with turns:
        for number in range(4):
            threads.append(threading.Thread(target=again_and_again, args=(number,)))
            threads[-1].start()
            while len(turns._threads._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join(60)
    turns.close()
    assert order[:4] == [0, 1, 2, 3]
    assert sorted(order) == sorted([0, 1, 2, 3] * 3)
