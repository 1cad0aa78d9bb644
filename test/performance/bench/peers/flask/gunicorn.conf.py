"""How gunicorn runs the peer on Flask."""

import os

from prometheus_client import multiprocess

bind = f"127.0.0.1:{os.environ['PORT']}"
# (2 x cores) + 1, as gunicorn's documentation advises; the benchmark gives it one core.
workers = 3
# Threads, because they keep connections alive, which the default kind of worker does not.
worker_class = "gthread"
threads = 4
# Longer than any pause between two requests of a load generator.
keepalive = 75


def child_exit(server, worker):
    multiprocess.mark_process_dead(worker.pid)
