"""What a run leaves behind."""

from neuroport.trace.read import Trace as Trace
from neuroport.trace.read import open_trace as open_trace
