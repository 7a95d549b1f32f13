"""What generated modules for several threads have besides: its source comes after that of `runtime`."""

from neuroport.backends.emulator.native.words import atomic_add, atomic_load, yield_processor

SPINS = 20_000  # how often a thread looks whether the others have come before it lets go of its processor


def meet(meeting, seat):
    """Wait until all threads are here; seat: how many have come when all have, threads, which of them this one is."""
    seat[0] += seat[1]
    atomic_add(meeting, 0, 1)
    looked = 0
    while atomic_load(meeting, 0) < seat[0]:
        looked += 1
        if looked > SPINS:
            yield_processor()


def tell(t, spikes, spike_count, told, told_count, told_start, seat):
    """Show the spikes of this thread's block of neurons to all threads, by their numbers in the population."""
    slot = t & (spikes.shape[0] - 1)
    start = told_start[seat[2]]
    for q in range(spike_count[slot]):
        told[start + q] = spikes[slot, q] + start
    told_count[seat[2]] = spike_count[slot]


def listen(t, told, told_count, told_start, spikes, spike_count):
    """List the spikes of all blocks of neurons."""
    slot = t & (spikes.shape[0] - 1)
    count = 0
    for block in range(told_count.shape[0]):
        start = told_start[block]
        for q in range(told_count[block]):
            spikes[slot, count] = told[start + q]
            count += 1
    spike_count[slot] = count
