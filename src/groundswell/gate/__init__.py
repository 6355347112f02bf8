"""The gate: where accounts end and crowds begin.

`Gate` is the last place that sees an account, a handle, an e-mail address, a telephone number or a
profile URL. `Redactor` is its text half alone, for the `redact` command.
"""

from groundswell.gate.gate import Gate, GateSettings, forbid_core_dumps
from groundswell.gate.redact import IDENTIFIERS, Redactor
from groundswell.gate.speakers import SpeakerKeys

__all__ = ["IDENTIFIERS", "Gate", "GateSettings", "Redactor", "SpeakerKeys", "forbid_core_dumps"]
