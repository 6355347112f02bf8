"""Every counter that `/metrics` shows, in one place; `docs/commands.md` lists them and a test compares.

Metrics speak of volumes and reasons, never of a post, an account or a word. They live in a registry of
their own, so that two pipelines in one process (as in tests) can be told apart.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["Metrics"]


class Metrics:
    """The metrics of one pipeline."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.registry = registry
        self.source_messages = Counter(
            "groundswell_source_messages", "Messages read from a source.", ["source"], registry=registry
        )
        self.source_dropped = Counter(
            "groundswell_source_dropped_messages",
            "Messages a source read and did not pass on.",
            ["source", "reason"],
            registry=registry,
        )
        self.source_connections = Counter(
            "groundswell_source_connections", "Connections opened to a source.", ["source"], registry=registry
        )
        self.source_lag_seconds = Gauge(
            "groundswell_source_lag_seconds",
            "Seconds between a source's newest message and now.",
            ["source"],
            registry=registry,
        )
        self.gate_posts = Counter(
            "groundswell_gate_posts",
            "Rows that reached the gate, by kind (post, edit, delete, account_gone).",
            ["kind"],
            registry=registry,
        )
        self.gate_dropped = Counter(
            "groundswell_gate_dropped_posts", "Posts the gate dropped.", ["reason"], registry=registry
        )
        self.gate_kept = Counter("groundswell_gate_kept_posts", "Posts the gate kept.", registry=registry)
        self.gate_redactions = Counter(
            "groundswell_gate_redactions",
            "Posts in which an identifier class was taken out.",
            ["identifier"],
            registry=registry,
        )
        self.detect_ticks = Counter(
            "groundswell_detect_ticks", "Ticks of stream time run.", registry=registry
        )
        self.detect_warm_posts = Gauge(
            "groundswell_detect_warm_posts", "Posts in the open windows.", registry=registry
        )
        self.detect_evicted_posts = Counter(
            "groundswell_detect_evicted_posts",
            "Posts that left the window early, or never came in, for want of room.",
            registry=registry,
        )
        self.detect_tick_seconds = Histogram(
            "groundswell_detect_tick_seconds", "Wall time of a tick.", registry=registry
        )
        self.release_records = Counter(
            "groundswell_release_records", "Records released, by kind.", ["kind"], registry=registry
        )
        self.release_refused = Counter(
            "groundswell_release_refused_candidates",
            "Candidates refused, by reason.",
            ["reason"],
            registry=registry,
        )
        self.store_blocked = Gauge(
            "groundswell_store_blocked", "1 while published records cannot be written.", registry=registry
        )
        self.console_streams = Gauge(
            "groundswell_console_streams", "Open server-sent event streams.", registry=registry
        )
        self.media_files = Counter(
            "groundswell_media_files",
            "Pictures and videos that a worker read, by kind of job (fingerprint, read, shield).",
            ["kind"],
            registry=registry,
        )
        self.media_shed_sightings = Counter(
            "groundswell_media_shed_sightings",
            "Pictures in posts that were forgotten within the hour for want of room.",
            registry=registry,
        )
        self.media_dropped = Counter(
            "groundswell_media_dropped_files",
            "Pictures and videos that were not read, or not to their end.",
            ["reason"],
            registry=registry,
        )
        self.media_backlog = Gauge(
            "groundswell_media_backlog_files",
            "Pictures and videos that wait for a worker.",
            registry=registry,
        )
        self.media_workers_ended = Counter(
            "groundswell_media_workers_ended",
            "Workers that were ended, or ended by themselves, and were replaced.",
            ["reason"],
            registry=registry,
        )
        self.media_seconds = Histogram(
            "groundswell_media_job_seconds", "Wall time of a job in a worker.", ["kind"], registry=registry
        )
        self.media_fetched = Counter(
            "groundswell_media_fetched_files", "Pictures and videos fetched.", registry=registry
        )
        self.media_fetch_dropped = Counter(
            "groundswell_media_fetch_dropped_files",
            "Pictures and videos that were not fetched.",
            ["reason"],
            registry=registry,
        )
