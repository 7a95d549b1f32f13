"""What is to be built in PyGeNN, as text for reading."""

from __future__ import annotations

from neuroport.backends.genn.model import Group, Neurons, Synapses, Update, Variable


def printed(group: Group) -> str:
    """One group."""
    lines = []
    match group:
        case Neurons():
            lines.append(f"neurons {group.name}: {group.size}")
            lines += [f"  input {ident}: {name}" for ident, name in group.inputs.items()]
            lines += [_variable(v) for v in group.variables]
            codes = [("sim_code", group.code)]
        case Synapses():
            delay = f"axonal delay {group.delay - 1}, dendritic slots {group.slots}"
            lines.append(f"synapses {group.name}: {group.source} -> {group.target}, {delay}")
            if group.post_input:
                lines.append(f"  adds to {group.post_input} of the target")
            if group.pre_input:
                lines.append(f"  adds to {group.pre_input} of the source")
            lines += [_variable(v) for v in group.variables]
            lines += [f"  presynaptic {r.ident}: {r.type}, {r.name}" for r in group.pre]
            lines += [f"  postsynaptic {r.ident}: {r.type}, {r.name}" for r in group.post]
            codes = [
                ("synapse_dynamics_code", group.step),
                ("pre_spike_syn_code", group.arrive),
                ("post_spike_syn_code", group.post_code),
            ]
        case Update():
            times = [("after every step", group.every_step), ("on its event", group.triggered)]
            when = " and ".join(text for text, chosen in times if chosen)
            lines.append(f"update {group.name} of {group.owner}, {when}")
            lines += [
                f"  reference {r.ident}: {r.type}, {r.name}{' (read)' if r.constant else ''}" for r in group.references
            ]
            lines += [f"  array {b.ident}: {b.type}, {b.name} of {b.group}" for b in group.borrowed]
            codes = [("update_code", group.code)]
        case _:
            raise TypeError(f"{type(group).__name__} is no group")
    for parameter in group.parameters:
        dynamic = " (dynamic)" if parameter.dynamic else ""
        lines.append(f"  parameter {parameter.ident}: {parameter.type}, {parameter.of} {parameter.name}{dynamic}")
    lines += [f"  array {a.ident}: {a.type}, {' '.join(filter(None, (a.kind, a.name)))}" for a in group.arrays]
    for title, code in codes:
        if code:
            lines += [f"  {title}", *(f"    {line}" for line in code.split("\n"))]
    return "\n".join(lines)


def _variable(variable: Variable) -> str:
    constant = " (constant)" if variable.constant else ""
    return f"  variable {variable.ident}: {variable.type}, {variable.holds} {variable.name}{constant}"
