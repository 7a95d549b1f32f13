"""The program: a flat machine of named arrays and an ordered list of operations.

    type    ::= Real | Int(lo, hi, frac) | Bool
    expr    ::= Const | Read(array, at, lag) | Temp(name) | Apply(fn, args)
              | Round(x, shift, mode) | Lookup(table, index) | Random(stream) | Sum(x)
              | Reduce(x, op, axis)            of events: a sum, or the largest, over elements
    stmt    ::= Let(name, expr) | Store(array, expr, guard) | Send(input, expr, guard) | Spike(expr)
    body    ::= stmt*                      straight-line: every `if` has become a guard or a select
    machine ::= arrays, populations, projections, events, readouts, tables

`elaborate` makes a program whose numbers are real; `quantise` turns it into one whose numbers are all integers, with
every shift, rounding, clip and table look-up explicit. Both are the same types, and every executor runs either.

Arrays have a value for each neuron or synapse of their owner, or, where synapses share the entries of a kernel, for
each of these (`wiring`): a synapse reads that of its entry as its own, and events over the entries assign it.

A step t does, in this order (docs/time-step.md):
  0. for every array with `history`: slot (t-1) mod history := the array               (S(t-1))
  1. every projection's `step` body for every synapse
  2. every projection's `arrive` body for the synapses of every neuron that spiked at t - delay
  3. every projection's `post` body for the synapses onto every neuron that spiked at t - 1
  4. stimuli are added to inputs; every population's body; its inputs' slot of this step is cleared
  5. events with `every_step`, in order
  6. readouts and records
"""
