"""Words that some language or library keeps for itself, and a network that has each of them as a name of every kind."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Sequence

C = """auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Bool _Complex
_Imaginary _Alignas _Alignof _Atomic _Generic _Noreturn _Static_assert _Thread_local asm typeof fortran"""
CPP = """alignas alignof and and_eq atomic_cancel atomic_commit atomic_noexcept bitand bitor bool catch char8_t char16_t
char32_t class compl concept consteval constexpr constinit const_cast co_await co_return co_yield decltype delete
dynamic_cast explicit export false friend mutable namespace new noexcept not not_eq nullptr operator or or_eq private
protected public reflexpr reinterpret_cast requires static_assert static_cast synchronized template this thread_local
throw true try typeid typename using virtual wchar_t xor xor_eq final override import module std main"""
MACROS = """NULL NAN INFINITY EOF errno assert M_PI M_E FLT_MAX FLT_MIN DBL_MAX INT_MAX INT_MIN UINT_MAX LONG_MAX
SIZE_MAX RAND_MAX HUGE_VAL EXIT_SUCCESS EDOM ERANGE stdin stdout stderr offsetof va_list unix linux i386 near far
min max I complex TRUE FALSE DEBUG NDEBUG __LINE__ __FILE__ __func__ __cplusplus __STDC__"""
LIBRARY = """abs acos asin atan ceil cos cosh div erf exit exp fabs floor fma fmax fmin fmod free gamma hypot isnan j0
j1 jn lgamma log log2 malloc memcpy pow printf puts qsort rand round signbit sin sqrt strlen tan time trunc y0 y1 yn
int8_t int32_t int64_t uint8_t uint32_t uint64_t size_t ssize_t ptrdiff_t byte string vector cout index link read
write signal select bcopy open close"""
GPU = """__global__ __device__ __host__ __shared__ __constant__ __restrict__ __syncthreads threadIdx blockIdx blockDim
gridDim warpSize dim3 float2 float4 int4 uint3 half cudaMalloc atomicAdd hipThreadIdx_x hipLaunchKernelGGL hip
vec2 vec3 vec4 mat3 uniform varying attribute lowp mediump highp precision sampler2D gl_Position discard in out inout
buffer kernel device thread threadgroup constant global local shared flat smooth layout invariant subroutine
get_global_id"""
GENN = """scalar t dt id ind Isyn neuronID numSpikes spkCnt spk spkQuePtr sT prevST seT batch batchSize rng lrng
outPost inSyn addToPost addToPre fromPost toPre g V V_pre V_post preInd postInd colLength rowLength maxRowLength
npost npre numPre numPost trueSpkCnt pushToDevice iT group mergedGroup substeps glbSpk Lambda timestepType
injectCurrent ForEachSynapse EndForEach"""
PYTHON = """self cls np numpy numba math nan inf print len range list dict set object type super property classmethod
int8 int32 float32 float64 uint64 prange njit void array data shape dtype step state neurons synapses copies steps
post pre target source run value values lo hi k n m i j x y z a b w"""


def words() -> list[str]:
    """All of them, each once; those of two letters that only differ by case stay."""
    texts = f"{C} {CPP} {MACROS} {LIBRARY} {GPU} {GENN} {PYTHON}".split()
    return list(dict.fromkeys([*texts, *keyword.kwlist, *keyword.softkwlist, *dir(builtins)]))


def network(names: Sequence[str], chip: str) -> str:
    """A network in which each name is that of a population, and of all that neuron and synapse models have.

    What it computes does not depend on the names, but for random draws, of which there are none.
    """
    return "\n".join([*_head(chip), *_neurons(names), *_synapses(names), *_objects(names), ""])


def _head(chip: str) -> list[str]:
    return ["neuroport: 1", "name: words", "dt: 1 ms", f"chip: {chip}"]


def _each(names: Sequence[str], text: str, gap: str = ", ") -> str:
    return gap.join(text.replace("NAME", f'"{name}"' if ": {" in text else name) for name in names)


def _sum(terms: Sequence[str]) -> str:
    """The sum of many terms, by halves, so that it is not nested deeply."""
    half = len(terms) // 2
    return terms[0] if len(terms) == 1 else f"({_sum(terms[:half])} + {_sum(terms[half:])})"


def _neurons(names: Sequence[str]) -> list[str]:
    variable = "NAME: {init: 0.5, range: [-1, 1]}"
    sums = _sum([f"0.001 * {name}" for name in names])
    locals_ = [f"      {name} = 0.5 * q0q" for name in names]
    return [
        "neurons:",
        "  plain: {state: {q0q: {range: [-1, 1], init: 0.5}}, update: q0q = 0.5 * q0q, spike: q0q > 0.1}",
        "  has_states:",
        "    inputs: {a0a: {range: [-8, 8]}}",
        f"    state: {{{_each(names, variable)}}}",
        "    update: |",
        *[f"      {name} = 0.5 * {name} + 0.01 * a0a" for name in names],
        f"    spike: {names[0]} > 0.02",
        "  has_params:",
        "    inputs: {a0a: {range: [-8, 8]}}",
        f"    params: {{{_each(names, 'NAME: {default: 0.5, range: [0, 1], dynamic: true}')}}}",
        "    state: {q0q: {range: [-1, 1], init: 0}}",
        f"    update: q0q = 0.5 * q0q + 0.001 * {sums}",
        "  has_derived:",
        "    inputs: {a0a: {range: [-8, 8]}}",
        "    params: {p0p: {default: 0.5, range: [0, 1], dynamic: true}}",
        f"    derived: {{{_each(names, 'NAME: {}').replace(': {}', ': 0.5 * p0p')}}}",
        "    state: {q0q: {range: [-1, 1], init: 0}}",
        f"    update: q0q = 0.5 * q0q + 0.001 * {sums}",
        "  has_inputs:",
        f"    inputs: {{{_each(names, 'NAME: {range: [-1, 1]}')}}}",
        "    state: {q0q: {range: [-1, 1], init: 0.25}}",
        f"    update: q0q = 0.5 * q0q + 0.001 * {sums}",
        "    spike: q0q > 0.0001",
        "  has_locals:",
        "    inputs: {a0a: {range: [-8, 8]}}",
        "    state: {q0q: {range: [-1, 1], init: 0.9}}",
        "    update: |",
        *locals_,
        f"      q0q = 0.5 * q0q + 0.001 * {sums}",
    ]


def _synapses(names: Sequence[str]) -> list[str]:
    sums = _sum([f"0.001 * {name}" for name in names])
    return [
        "synapses:",
        "  plain: {state: {w0w: {weight: true, init: 0.5, range: [0, 1]}}}",
        "  has_variables:",
        "    state:",
        "      w0w: {weight: true, init: 0.5, range: [0, 1]}",
        *[f'      "{name}": {{init: 0.5, range: [0, 1]}}' for name in names],
        "    on_pre: |",
        "      send(target, w0w)",
        *[f"      {name} = 0.5 * {name}" for name in names],
        "  has_params:",
        f"    params: {{{_each(names, 'NAME: {default: 0.5, range: [0, 1], dynamic: true}')}}}",
        "    state: {w0w: {weight: true, init: 0.5, range: [0, 1]}}",
        "    on_pre: |",
        "      send(target, w0w)",
        f"      w0w = 0.5 * w0w + 0.001 * {sums}",
        "  has_traces:",
        f"    traces: {{{_each(names, 'NAME: {of: pre, decay: 0.5, range: [0, 4]}')}}}",
        "    state: {w0w: {weight: true, init: 0.5, range: [0, 1]}}",
        "    on_pre: |",
        "      send(target, w0w)",
        f"      w0w = 0.5 * w0w + 0.0001 * {_sum([f'pre.{name}' for name in names])}",
    ]


MODELS = ("has_states", "has_params", "has_derived", "has_inputs", "has_locals")


def _objects(names: Sequence[str]) -> list[str]:
    """A population of each model; one per name, and one per name that it leads to by a projection of its own name."""
    rules = ("has_variables", "has_params", "has_traces")
    return [
        "populations:",
        *[f"  p0{model}: {{size: 2, neuron: {model}}}" for model in MODELS],
        *[f'  "{name}": {{size: 1, neuron: plain}}' for name in names[::2]],
        "projections:",
        *[_projection(f"p0{rule}s", "p0has_params", rule, "a0a") for rule in rules],
        *[_projection(f'"{name}"', "p0has_inputs", "plain", f'"{name}"') for name in names[1::2]],
        "protocol: [{run: 6 ms}]",
    ]


def _projection(name: str, target: str, rule: str, onto: str) -> str:
    return f"  {name}: {{source: p0has_states, target: {target}, synapse: {rule}, connect: all_to_all, input: {onto}}}"
