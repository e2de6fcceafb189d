#!/usr/bin/env python3
"""Creates a post through Warren's broker, awaits the reply, and reads the post.

The program needs pika (Debian: python3-pika) and the broker address of an integrator:

    eval "$(compose/local env)" && python3 queues/example.py

If no worker replies to the command, the program prints the command's receipt. This reads the receipt later:

    python3 queues/example.py receipt MESSAGE-ID ACCOUNT-ID USERNAME
"""

import json
import os
import shlex
import sys
import time
import uuid

try:
    import pika
    from pika.exceptions import AMQPConnectionError, AMQPError, UnroutableError
except ImportError:
    sys.exit(f"{sys.executable} has no pika: install python3-pika and use /usr/bin/python3, or pip install pika")

DEADLINE = 10  # seconds to wait for a reply
USAGE = "usage: example.py [receipt MESSAGE-ID ACCOUNT-ID USERNAME]"


class NoReply(Exception):
    """No worker has replied before the deadline."""

    def __init__(self, message_type, message_id, command):
        super().__init__(f"no worker replied to {message_type} within {DEADLINE} s")
        self.message_id = message_id
        self.command = command


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
        message_id = str(uuid.uuid4())  # a command is carried out once for each message_id
        headers = {"deadline": int((time.time() + DEADLINE) * 1000), "request-id": correlation}
        if account:
            headers.update({"subject": account["id"], "subject-name": account["username"]})
        properties = pika.BasicProperties(
            type=message_type,
            message_id=message_id,
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
                raise NoReply(message_type, message_id, command)
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


def explain(error, account):
    """Return what happens to a request to which no worker has replied."""
    if not error.command:
        return f"{error}. The message has expired: it is not carried out later. Is a worker running?"
    program = f"{shlex.quote(sys.executable)} {shlex.quote(sys.argv[0])}"
    receipt = f"{program} receipt {error.message_id} {account['id']} {account['username']}"
    return (
        f"{error}. The broker has stored the command, and it is carried out as soon as a worker runs.\n"
        f"Its receipt is the message_id {error.message_id}. Read it then with\n    {receipt}"
    )


def read_receipt(warren, message_id, account_id, username):
    account = {"id": account_id, "username": username}
    receipt = expect(*warren.call("post.receipt", {"id": message_id}, account=account), 200)
    print("post.receipt       200 ", json.dumps(receipt))
    if receipt["status"] == "accepted":
        print("The command still waits, or the account has sent no command with this id.")
    warren.close()


def main():
    arguments = sys.argv[1:]
    if arguments and (arguments[0] != "receipt" or len(arguments) != 4):
        print(USAGE, file=sys.stderr)
        sys.exit(64)
    url = os.environ.get("WARREN_INTEGRATOR_URL")
    if not url:
        sys.exit('WARREN_INTEGRATOR_URL is not set; run: eval "$(compose/local env)"')
    warren = Warren(url)
    if arguments:
        return read_receipt(warren, *arguments[1:])

    name = "python-" + uuid.uuid4().hex[:12]
    person = {"username": name, "email": f"{name}@example.org", "password": uuid.uuid4().hex}
    account = expect(*warren.call("identity.register", person), 201)["account"]
    print("identity.register  201 ", account["id"])

    post = {"content": "Published from Python, through the broker."}
    try:
        status, post = warren.call("post.create", post, command=True, account=account)
    except NoReply as error:
        sys.exit(explain(error, account))
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
    except AMQPConnectionError:
        sys.exit("no connection to the broker of WARREN_INTEGRATOR_URL; compose/local status shows if it is running")
    except UnroutableError:
        sys.exit("no queue is bound for this message type")
    except NoReply as error:
        sys.exit(explain(error, None))
    except AMQPError as error:
        sys.exit(f"{type(error).__name__}: {error}")
