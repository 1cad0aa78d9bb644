"""The user API under load from Locust (https://locust.io), as `npm run load -- --scenario steady` does it:

    pip install locust
    locust --locustfile test/performance/load/locustfile.py --host http://127.0.0.1:3000

then open http://localhost:8089; or without the page:

    locust --locustfile test/performance/load/locustfile.py --host http://127.0.0.1:3000 --headless --users 50 --spawn-rate 10 --run-time 60s

AUTHORIZATION is sent with each request when it is set, as in AUTHORIZATION='Bearer …'. USERS is the highest id, 1000 unless set.
The API limits how much one address may ask for; start it with high limits:

    npm start -- --high-limits
"""

import os
import random
import uuid

from locust import FastHttpUser, between, task

USERS = int(os.environ.get("USERS", "1000"))
# Among skewed ids, the first tenth of the users get nearly half of the reads.
SKEW = 3


class ApiUser(FastHttpUser):
    # Seconds between the requests of one simulated person.
    wait_time = between(0.1, 0.5)

    def on_start(self):
        authorization = os.environ.get("AUTHORIZATION")
        self.default_headers = {"authorization": authorization} if authorization else {}

    @task(90)
    def read(self):
        user = 1 + int(random.random() ** SKEW * USERS)
        # One name for all ids, or the statistics would have a line for each.
        self.client.get(f"/api/v1/users/{user}", name="/api/v1/users/{id}", headers=self.default_headers)

    @task(8)
    def list(self):
        self.client.get("/api/v1/users?limit=20", headers=self.default_headers)

    @task(2)
    def create(self):
        # The mailbox simulator of Amazon SES takes every mail and sends it to nobody.
        email = f"success+{uuid.uuid4()}@simulator.amazonses.com"
        self.client.post("/api/v1/users", json={"name": "Load User", "email": email}, headers=self.default_headers)
