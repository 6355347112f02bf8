"""How Numba compiles our kernels: by the passes they need, and to machine code only what Python calls.

Owns the list of passes, no kernel and nothing of what one does: what comes out computes what Numba's own
pipeline makes compute. What this cannot compile, for a kernel or a version of Numba is unlike those it knows,
Numba's own pipeline does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba.core import compiler, errors, ir, types
from numba.core import typed_passes as typed
from numba.core import untyped_passes as untyped
from numba.core.codegen import JITCodeLibrary
from numba.core.ir_utils import build_definitions
from numba.core.ssa import reconstruct_ssa

__all__ = ["Pipeline"]

_NAMES = (ir.Const, ir.Global, ir.FreeVar)


class Pipeline(compiler.Compiler):  # type: ignore[misc]  # numba has no types
    """What `njit(pipeline_class=...)` takes. Closures, generators and `with` are left to Numba's own."""

    def define_pipelines(self) -> list[Any]:
        return [_Passes(), *map(_Instead, super().define_pipelines())]


class _Passes:
    """Does a `PassManager`'s work without looking over the whole function anew after each pass."""

    pipeline_name = "groundswell"

    def __init__(self) -> None:
        self.exec_times: dict[str, Any] = {}

    def run(self, state: Any) -> None:
        try:
            if state.flags.no_cpython_wrapper:
                state.library = _Linked(state.targetctx.codegen(), state.func_id.func_qualname)
            for step in _steps(state.flags.nrt):
                step(state)
        except Exception as error:
            state.func_ir = state.library = state.cr = None  # Numba's own begin anew
            raise errors.CompilerError(f"{state.func_id.func_qualname}: {error!r}") from error


class _Instead:
    """Numba's own pipeline, which is not to be blamed for what ours could not do."""

    def __init__(self, numbas: Any) -> None:
        self._numbas = numbas
        self.pipeline_name, self.exec_times = numbas.pipeline_name, numbas.exec_times

    def run(self, state: Any) -> None:
        state.status.fail_reason = None
        self._numbas.run(state)


def _steps(counting: bool) -> Iterator[Callable[[Any], Any]]:
    """The passes; only who counts references has to know where each variable ends."""
    yield untyped.TranslateByteCode().run_pass
    yield untyped.FixupArgs().run_pass
    yield untyped.IRProcessing().run_pass
    yield _fold
    yield untyped.GenericRewrites().run_pass
    yield untyped.RewriteDynamicRaises().run_pass
    yield untyped.InlineInlinables().run_pass
    yield _single_assignments
    yield _types
    yield _strip_phis
    if counting:
        yield typed.NopythonRewrites().run_pass
        yield typed.IRLegalization().run_pass
    yield typed.NativeLowering().run_pass
    yield typed.NoPythonBackend().run_pass


def _single_assignments(state: Any) -> None:
    state.func_ir = reconstruct_ssa(state.func_ir)
    state.func_ir._definitions = build_definitions(state.func_ir.blocks)


def _strip_phis(state: Any) -> None:
    state.func_ir = typed.PreLowerStripPhis()._strip_phi_nodes(state.func_ir)
    state.func_ir._definitions = build_definitions(state.func_ir.blocks)
    state.type_annotation = ""


def _types(state: Any) -> None:
    asked = state.typingctx
    state.typingctx = _Remembering(asked)
    try:
        typed.NopythonTypeInference().run_pass(state)
    finally:
        state.typingctx = asked


_signatures: dict[Any, Any] = {}


class _Remembering:
    """A typing context that works out once what an operator makes of given types: a third of all work."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, func: Any, args: Any, kws: Any) -> Any:
        if kws or not isinstance(func, (types.Function, types.NumberClass)):
            return self._context.resolve_function_type(func, args, kws)
        key = self._context, func, tuple(args)
        if key not in _signatures:
            found = self._context.resolve_function_type(func, args, kws)
            if found is None:
                return None  # Numba asks again when it knows more
            _signatures[key] = found
        return _signatures[key]


def _fold(state: Any) -> None:
    """`np.uint64(8)` is a constant: without this it is looked up, typed and lowered as four statements."""
    blocks, definitions = state.func_ir.blocks.values(), state.func_ir._definitions
    found = False
    for block in blocks:
        for statement in block.body:
            value = _constant(statement, definitions)
            if value is not None:
                statement.value = ir.Global(type(value).__name__, value, statement.value.loc)
                found = True
    if found:
        for _ in range(2):  # what gave the type, then where that came from
            _drop_unused(blocks)
        state.func_ir._definitions = build_definitions(state.func_ir.blocks)


def _constant(statement: Any, definitions: Any) -> Any:
    """The NumPy number that a statement makes of a Python number it knows, or None."""
    call = getattr(statement, "value", None)
    if not isinstance(call, ir.Expr) or call.op != "call" or call.kws or call.vararg or len(call.args) != 1:
        return None
    maker = _only(definitions, call.func)
    if not isinstance(maker, ir.Expr) or maker.op != "getattr":
        return None
    home, number = _only(definitions, maker.value), _only(definitions, call.args[0])
    if getattr(home, "value", None) is not np or not isinstance(number, _NAMES):
        return None
    kind = getattr(np, maker.attr, None)
    if not isinstance(kind, type) or not issubclass(kind, np.integer) or type(number.value) is not int:
        return None
    return kind(number.value) if np.iinfo(kind).min <= number.value <= np.iinfo(kind).max else None


def _only(definitions: Any, variable: Any) -> Any:
    found = definitions[variable.name]
    return found[0] if len(found) == 1 else None


def _drop_unused(blocks: Any) -> None:
    used: Counter[str] = Counter()
    for block in blocks:
        for statement in block.body:
            source = statement.value if isinstance(statement, ir.Assign) else statement
            if isinstance(source, ir.Var):
                used[source.name] += 1
            elif not isinstance(source, (*_NAMES, ir.Arg)):
                used.update(variable.name for variable in source.list_vars())
    for block in blocks:
        block.body = [statement for statement in block.body if not _is_idle(statement, used)]


def _is_idle(statement: Any, used: Counter[str]) -> bool:
    if not isinstance(statement, ir.Assign) or not statement.target.name.startswith("$"):
        return False
    value = statement.value
    known = isinstance(value, _NAMES) or (isinstance(value, ir.Expr) and value.op == "getattr")
    return known and not used[statement.target.name]


class _Linked(JITCodeLibrary):  # type: ignore[misc]  # numba has no types
    """Code of a kernel that only kernels call: optimised, and made machine code, where it is linked in."""

    @property
    def codegen(self) -> Any:
        return _WithoutEnvironment

    def finalize(self) -> None:
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._final_module.verify()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0  # as Numba says of what Python cannot call

    def serialize_using_object_code(self) -> Any:
        return self.serialize_using_bitcode()


class _WithoutEnvironment:
    """Only code that calls Python asks for an environment."""

    @staticmethod
    def set_env(name: str, environment: object) -> None:
        pass
