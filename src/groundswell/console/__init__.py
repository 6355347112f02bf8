"""What people look at: the page, the JSON API and the event stream, from published records, on loopback.

Right of the line: nothing here ever sees a post, and nothing here can ask for one.
"""

from groundswell.console.app import create_app
from groundswell.console.feed import Feed
from groundswell.console.reader import Reader
from groundswell.console.server import serve
from groundswell.console.status import SourceStatus, Status

__all__ = ["Feed", "Reader", "SourceStatus", "Status", "create_app", "serve"]
