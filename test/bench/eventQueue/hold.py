"""The hold model on SimPy: see competitors.ts, which runs it.

Usage: hold.py <increments file> <pending> <fired>; prints nanoseconds of CPU time per event fired, and the last instant as a check.
SimPy has no cancelling of events: one that loses its callbacks does nothing when it comes up.
"""
import array
import sys
import time

import simpy

increments = array.array("d")
with open(sys.argv[1], "rb") as file:
    increments.frombytes(file.read())
mask = len(increments) - 1
pending, count = int(sys.argv[2]), int(sys.argv[3])

env = simpy.Environment()
live = [None] * pending
draw = 0
state = 1
fired = 0
last = 0.0


def schedule(i):
    global draw
    event = env.timeout(increments[draw & mask], i)
    draw += 1
    event.callbacks.append(fire)
    live[i] = event


def fire(event):
    global state, fired, last
    fired += 1
    last = env.now
    schedule(event.value)
    state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
    if (state >> 8) % 7 < 3:
        i = (state >> 4) % pending
        live[i].callbacks.clear()
        schedule(i)


def hold(n):
    goal = fired + n
    while fired < goal:
        env.step()


for i in range(pending):
    schedule(i)
hold(pending + pending // 2)
start = time.process_time()
hold(count)
print((time.process_time() - start) * 1e9 / count, last)
