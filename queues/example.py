#!/usr/bin/env python3
"""Creates a post through Warren's broker, awaits the reply, and reads the post.

The program needs pika (Debian: python3-pika) and the broker address of an integrator:

    eval "$(compose/local env)" && python3 queues/example.py
"""

import json
import os
import sys
import time
import uuid

import pika
from pika.exceptions import AMQPError, UnroutableError

DEADLINE = 10  # seconds to wait for a reply


class Warren:
    """A connection to the broker with an exclusive queue for replies."""

    def __init__(self, url):
        parameters = pika.URLParameters(url)
        self.user = parameters.credentials.username
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        # The broker then confirms each message. It returns a mandatory message if no queue is bound for its type.
        self.channel.confirm_delivery()
        # Replies are routed to the exclusive queue by its own name.
        self.replies = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self.replies, "warren.replies", routing_key=self.replies)

    def call(self, message_type, body, command=False, account=None):
        """Send a request, await its reply, and return the HTTP status and the body."""
        correlation = str(uuid.uuid4())
        headers = {"deadline": int((time.time() + DEADLINE) * 1000), "request-id": correlation}
        if account:
            headers.update({"subject": account["id"], "subject-name": account["username"]})
        properties = pika.BasicProperties(
            type=message_type,
            message_id=str(uuid.uuid4()),  # a command is carried out once for each message_id
            correlation_id=correlation,
            reply_to=self.replies,
            content_type="application/json",
            delivery_mode=2 if command else 1,
            expiration=None if command else str(DEADLINE * 1000),
            timestamp=int(time.time()),
            app_id="example.py",
            user_id=self.user,  # the broker refuses any other name
            headers=headers,
        )
        self.channel.basic_publish(
            "warren.commands", message_type, json.dumps(body).encode(), properties, mandatory=True
        )
        for method, reply, content in self.channel.consume(self.replies, auto_ack=True, inactivity_timeout=DEADLINE):
            if method is None:
                raise TimeoutError(f"no reply to {message_type} within {DEADLINE} s")
            if reply.correlation_id == correlation:
                return reply.headers["status"], json.loads(content) if content else None

    def close(self):
        self.channel.cancel()
        self.connection.close()


def expect(status, body, expected):
    """Return the body, or exit if the status of the reply is not the expected status."""
    if status != expected:
        sys.exit(f"the status of the reply is {status} instead of {expected}: {json.dumps(body)}")
    return body


def main():
    url = os.environ.get("WARREN_INTEGRATOR_URL")
    if not url:
        sys.exit('WARREN_INTEGRATOR_URL is not set; run: eval "$(compose/local env)"')
    warren = Warren(url)

    name = "python-" + uuid.uuid4().hex[:12]
    person = {"username": name, "email": f"{name}@example.org", "password": uuid.uuid4().hex}
    account = expect(*warren.call("identity.register", person), 201)["account"]
    print("identity.register  201 ", account["id"])

    post = {"content": "Published from Python, through the broker."}
    status, post = warren.call("post.create", post, command=True, account=account)
    expect(status, post, 201)
    print("post.create        201 ", json.dumps(post))

    status, same = warren.call("post.get", {"id": post["id"]}, account=account)
    expect(status, same, 200)
    print("post.get           200 ", json.dumps(same))
    if same["content"] != post["content"]:
        sys.exit("the post that was read differs from the post that was created")
    warren.close()


if __name__ == "__main__":
    try:
        main()
    except UnroutableError:
        sys.exit("no queue is bound for this message type")
    except (AMQPError, TimeoutError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
