"""The peer on Flask: see ../README.md. Run by gunicorn, as Flask's documentation on deployment says."""

import json
import logging
import os
import sys
import time
import uuid

import psycopg2.pool
import redis
from flask import Flask, Response, abort, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest, multiprocess

CACHE_LIFETIME_SECONDS = 60
# One for each thread of a worker, so that no thread waits for a connection.
POOL_SIZE = 4
# High enough that no request of a benchmark is refused; each is counted all the same.
RATE_LIMIT = "10000000 per minute"

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
log = logging.getLogger("peer")

app = Flask(__name__)
cache = redis.Redis.from_url(os.environ["REDIS_URL"])
pool = psycopg2.pool.ThreadedConnectionPool(1, POOL_SIZE, os.environ["DATABASE_READER_URLS"])
Limiter(
    get_remote_address,
    app=app,
    default_limits=[RATE_LIMIT],
    storage_uri=os.environ["REDIS_URL"],
    strategy="fixed-window",
    headers_enabled=True,
)
durations = Histogram(
    "http_request_duration_seconds",
    "Time from a request to its answer",
    ["method", "route", "status"],
)


@app.before_request
def begin():
    g.started = time.perf_counter()
    g.request_id = request.headers.get("x-request-id") or str(uuid.uuid4())


@app.after_request
def end(response):
    seconds = time.perf_counter() - g.started
    route = request.url_rule.rule if request.url_rule else "none"
    durations.labels(request.method, route, response.status_code).observe(seconds)
    response.headers["x-request-id"] = g.request_id
    log.info(
        json.dumps(
            {
                "requestId": g.request_id,
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "milliseconds": round(seconds * 1000, 3),
            }
        )
    )
    return response


def load(user_id):
    connection = pool.getconn()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                """
                select id, name, status,
                  to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                  to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                  version
                from users where id = %s
                """,
                (user_id,),
            )
            row = cursor.fetchone()
    finally:
        pool.putconn(connection)
    if row is None:
        return None
    names = ("id", "name", "status", "createdAt", "updatedAt", "version")
    return json.dumps(dict(zip(names, row)), separators=(",", ":"), ensure_ascii=False).encode()


@app.get("/api/v1/users/<int:user_id>")
def get_user(user_id):
    key = f"flask:user:{user_id}"
    body = cache.get(key)
    if body is None:
        body = load(user_id)
        if body is None:
            abort(404)
        cache.set(key, body, ex=CACHE_LIFETIME_SECONDS)
    return Response(body, content_type="application/json")


@app.get("/metrics")
def metrics():
    # All workers of gunicorn together, as prometheus-client's documentation on multiprocess mode says.
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
