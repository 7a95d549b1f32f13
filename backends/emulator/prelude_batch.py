"""The part of every generated module of several copies that comes after the general prelude."""

from __future__ import annotations

from neuroport.backends.emulator.prelude import RESERVED, defined

CHECKED_ACCESS = '''

@njit(**HELPER)
def get(values, index, scope):
    """values[index]."""
    return values[index]


@njit(**HELPER)
def put(values, index, value, scope):
    """values[index] = value."""
    values[index] = value
'''

ACCESS = '''

from llvmlite.ir.instructions import LoadInstr, StoreInstr

SCOPES = 64


class Scope(ir.MDValue):
    """A piece of metadata whose first operand is itself."""

    def __init__(self, module, *operands):
        super().__init__(module, operands, name=str(len(module.metadata)))
        self.operands = (self, *self.operands)

    def __eq__(self, other):
        return self is other

    def __hash__(self):
        return id(self)


def _apart(module, scope):
    """What LLVM is told of an access: it is in the array of this number, and in none of the others."""
    known = module.__dict__.setdefault("neuroport_scopes", [])
    if not known:
        domain = Scope(module)
        known.extend(Scope(module, domain) for _ in range(SCOPES))
    others = [node for number, node in enumerate(known) if number != scope]
    return module.add_metadata([known[scope]]), module.add_metadata(others)


def _marked(builder, scope, access):
    """Make an access and mark its loads and stores."""
    before = len(builder.block.instructions)
    result = access()
    if scope < SCOPES:
        own, others = _apart(builder.module, scope)
        for instruction in builder.block.instructions[before:]:
            if isinstance(instruction, (LoadInstr, StoreInstr)):
                instruction.set_metadata("alias.scope", own)
                instruction.set_metadata("noalias", others)
    return result


def _address(context, builder, array_type, array, index_type, index):
    """Where values[index] lies."""
    index = context.cast(builder, index, index_type, types.int64)
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index], inbounds=True)


@intrinsic(prefer_literal=True)
def get(typingctx, values, index, scope):
    """values[index]; arrays with different scopes are different arrays."""

    def codegen(context, builder, signature, args):
        address = _address(context, builder, values, args[0], index, args[1])
        number = scope.literal_value
        return _marked(builder, number, lambda: context.unpack_value(builder, values.dtype, address))

    return values.dtype(values, index, scope), codegen


@intrinsic(prefer_literal=True)
def put(typingctx, values, index, value, scope):
    """values[index] = value; arrays with different scopes are different arrays."""

    def codegen(context, builder, signature, args):
        address = _address(context, builder, values, args[0], index, args[1])
        stored = context.cast(builder, args[2], value, values.dtype)
        number = scope.literal_value
        _marked(builder, number, lambda: context.pack_value(builder, values.dtype, stored, address))
        return context.get_dummy_value()

    return types.void(values, index, value, scope), codegen
'''

BATCH = '''

def _eight(context, builder, array_type, array, first):
    """A function that loads 8 numbers which begin at array[first + 8 * block]."""
    lanes = ir.VectorType(context.get_value_type(array_type.dtype), 8)
    data = builder.gep(context.make_array(array_type)(context, builder, array).data, [first])
    blocks = builder.bitcast(data, lanes.as_pointer())
    return lambda block: builder.load(builder.gep(blocks, [block]), align=array_type.dtype.bitwidth // 8)


def _lane_sum(builder, number, copies, term):
    """The sum of term(block) over all copies: copy c to lane c mod 8, then pairs, pairs of pairs, and halves."""
    long, short = ir.IntType(64), ir.IntType(32)
    lanes = ir.VectorType(number, 8)
    zeros = ir.Constant(lanes, [0.0] * 8)
    last = builder.ashr(builder.sub(copies, long(1)), long(3))
    total = cgutils.alloca_once_value(builder, zeros)
    with cgutils.for_range(builder, last) as loop:
        builder.store(builder.fadd(builder.load(total), term(loop.index)), total)
    rest = builder.trunc(builder.sub(copies, builder.shl(last, long(3))), short)
    numbers = ir.VectorType(short, 8)
    limit = builder.insert_element(ir.Constant(numbers, ir.Undefined), rest, short(0))
    limit = builder.shuffle_vector(limit, limit, ir.Constant(numbers, [0] * 8))
    exists = builder.icmp_signed("<", ir.Constant(numbers, list(range(8))), limit)
    whole = builder.fadd(builder.load(total), builder.select(exists, term(last), zeros))
    parts = [builder.extract_element(whole, short(k)) for k in range(8)]
    while len(parts) > 1:
        parts = [builder.fadd(a, b) for a, b in zip(parts[::2], parts[1::2])]
    return parts[0]


@intrinsic
def sum_lanes(typingctx, terms, copies):
    """The sum of the terms of all copies."""

    def codegen(context, builder, signature, args):
        load = _eight(context, builder, terms, args[0], ir.IntType(64)(0))
        return _lane_sum(builder, context.get_value_type(terms.dtype), args[1], load)

    return terms.dtype(terms, types.int64), codegen


@intrinsic
def sum_products(typingctx, a, at_a, b, at_b, copies):
    """The sum over all copies of a[at_a + c] * b[at_b + c]."""

    def codegen(context, builder, signature, args):
        load_a, load_b = (_eight(context, builder, x, args[k], args[k + 1]) for k, x in ((0, a), (2, b)))
        number = context.get_value_type(a.dtype)
        return _lane_sum(builder, number, args[4], lambda block: builder.fmul(load_a(block), load_b(block)))

    return a.dtype(a, types.int64, b, types.int64, types.int64), codegen


@njit(**SHARED)
def add_to_copy(t, accumulator, table, row, copy, copies):
    """Add one row of a table to the inputs of one copy."""
    slot = t & (accumulator.shape[0] - 1)
    for i in range(table.shape[1]):
        accumulator[slot, i * copies + copy] += table[row, i]


@njit(**SHARED)
def add_series_of_copies(t, accumulator, table, hold, loop, starts):
    """Add the row of a series that belongs to step t, counted from where each copy starts."""
    for c in range(starts.shape[0]):
        row = starts[c] + t // hold
        if loop != 0:
            row %= table.shape[0]
        if row < table.shape[0]:
            add_to_copy(t, accumulator, table, row, c, starts.shape[0])


@njit(**SHARED)
def add_scheduled_of_copies(t, item_step, accumulator, table, hold, frames, schedule):
    """Add the row of a series that the running item shows to each copy."""
    at = item_step // hold
    if at < schedule.shape[0]:
        frame = (item_step % hold) // (hold // frames)
        for c in range(schedule.shape[1]):
            add_to_copy(t, accumulator, table, schedule[at, c] * frames + frame, c, schedule.shape[1])
'''


BATCH_RESERVED = RESERVED | defined(ACCESS + BATCH) | {"c"}
"""Names that a generated identifier must not have in a program of several copies."""


def batch_prelude(boundscheck: bool) -> str:
    """The text that follows the general prelude."""
    return ((CHECKED_ACCESS if boundscheck else ACCESS) + BATCH).rstrip()
