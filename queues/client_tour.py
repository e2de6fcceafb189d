#!/usr/bin/env python3
"""Sends each of Warren's messages through the broker, awaits each event, and prints the replies.

The program needs pika (Debian: python3-pika) and the broker address of an integrator. If jsonschema is installed
(Debian: python3-jsonschema), the program validates each body against queues/schemas/.

    eval "$(compose/local env)" && python3 queues/client_tour.py
"""

import json
import os
import pathlib
import struct
import sys
import time
import uuid
import zlib

try:
    import pika
    from pika.exceptions import AMQPConnectionError, AMQPError, UnroutableError
except ImportError:
    sys.exit(f"{sys.executable} has no pika: install python3-pika and use /usr/bin/python3, or pip install pika")

try:
    from jsonschema import Draft202012Validator
except ImportError:
    Draft202012Validator = None

SCHEMAS = pathlib.Path(__file__).parent / "schemas"
COMMANDS = {"post.create", "post.delete", "media.upload", "media.update", "media.delete"}


def png():
    """Return a PNG file with one red pixel."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class Refused(Exception):
    """The reply is a problem."""

    def __init__(self, message_type, status, problem):
        super().__init__(f"{message_type}: {status} {problem['code']}")
        self.status = status
        self.problem = problem


def check(message_type, body):
    """Validate a body against its schema."""
    path = SCHEMAS / f"{message_type}.json"
    if Draft202012Validator and path.exists():
        Draft202012Validator(json.loads(path.read_text(encoding="utf-8"))).validate(body)


class Warren:
    """A connection to the broker, with an exclusive queue for replies and one for events."""

    def __init__(self, url):
        parameters = pika.URLParameters(url)
        self.user = parameters.credentials.username
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.replies = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self.replies, "warren.replies", routing_key=self.replies)
        # The name of an integrator's queue must start with the user's name and a dot.
        self.events = f"{self.user}.tour.{uuid.uuid4()}"
        self.channel.queue_declare(self.events, exclusive=True)
        for key in ["account.*", "post.*", "media.*"]:
            self.channel.queue_bind(self.events, "warren.events", routing_key=key)

    def call(self, message_type, body, account=None, message_id=None, is_valid=True, description=None):
        """Send a request, await its reply and return the body of the reply. Raise Refused if the reply is a problem."""
        command = message_type in COMMANDS
        seconds = 30 if message_type == "media.upload" else 10
        correlation = str(uuid.uuid4())
        headers = {"deadline": int((time.time() + seconds) * 1000), "request-id": correlation}
        if account:
            headers.update({"subject": account["id"], "subject-name": account["username"]})
        if description is not None:
            headers["description"] = description
        is_file = isinstance(body, bytes)
        if not is_file and is_valid:
            check(message_type, body)
        properties = pika.BasicProperties(
            type=message_type,
            message_id=message_id or str(uuid.uuid4()),
            correlation_id=correlation,
            reply_to=self.replies,
            content_type="image/png" if is_file else "application/json",
            delivery_mode=2 if command else 1,
            expiration=None if command else str(seconds * 1000),
            timestamp=int(time.time()),
            app_id="client_tour.py",
            user_id=self.user,
            headers=headers,
        )
        content = body if is_file else json.dumps(body).encode()
        self.channel.basic_publish("warren.commands", message_type, content, properties, mandatory=True)
        for method, reply, content in self.channel.consume(self.replies, auto_ack=True, inactivity_timeout=seconds):
            if method is None:
                self.channel.cancel()
                raise TimeoutError(f"no reply to {message_type} within {seconds} s")
            if reply.correlation_id == correlation:
                break
        self.channel.cancel()
        body = json.loads(content) if content else None
        status = reply.headers["status"]
        if reply.content_type == "application/problem+json":
            check("problem", body)
            raise Refused(message_type, status, body)
        if body is not None:
            check(reply.type, body)
        print(f"{message_type:26} {status} {str(reply.headers.get('location') or '')}")
        return body

    def refused(self, status, code, *arguments, **options):
        """Send a request that must be refused with a status and a code. Return the problem."""
        try:
            self.call(*arguments, **options)
        except Refused as refusal:
            if (refusal.status, refusal.problem["code"]) != (status, code):
                raise
            print(f"{arguments[0]:26} {status} {code}")
            return refusal.problem
        raise AssertionError(f"{arguments[0]} succeeded, but must be refused with {status} {code}")

    def await_event(self, event_type, subject):
        """Await an event about a subject and return its data. Ignore other events."""
        deadline = time.time() + 10
        while time.time() < deadline:
            method, properties, content = self.channel.basic_get(self.events, auto_ack=True)
            if method is None:
                self.connection.process_data_events(0.05)
                continue
            event = json.loads(content)
            check(event["type"], event)
            if (event["type"], event["subject"]) == (event_type, subject):
                assert properties.content_type == "application/cloudevents+json"
                assert properties.message_id == event["id"]
                # The broker guarantees that user_id is the broker user that published the event.
                assert event["source"] == f"/warren/{properties.user_id}"
                print(f"{event_type:26} event")
                return event["data"]
        raise TimeoutError(f"no event {event_type} about {subject} within 10 s")

    def eventually(self, condition, *arguments, **options):
        """Repeat a query for up to ten seconds until its reply meets a condition.

        A service that updates its data from events does so some time after the command.
        """
        for _ in range(100):
            body = self.call(*arguments, **options)
            if condition(body):
                return body
            time.sleep(0.1)
        raise TimeoutError(f"{arguments[0]} did not return the expected data within 10 s")

    def close(self):
        self.connection.close()


def sessions(warren):
    """Create an account and use its sessions."""
    name = "tour-" + uuid.uuid4().hex[:12]
    person = {"username": name, "email": f"{name}@example.org", "password": uuid.uuid4().hex}
    session = warren.call("identity.register", person)
    account = session["account"]
    warren.await_event("account.registered", account["id"])
    warren.refused(409, "account-exists", "identity.register", person)
    login = {"email": person["email"], "password": person["password"]}
    warren.refused(401, "invalid-credentials", "identity.login", {**login, "password": "not this one"})
    session = warren.call("identity.login", login)
    session = warren.call("identity.refresh", {"refreshToken": session["refreshToken"]})
    assert warren.call("identity.me", {}, account)["email"] == person["email"]
    new = uuid.uuid4().hex
    warren.call("identity.change-password", {"currentPassword": person["password"], "newPassword": new}, account)
    session = warren.call("identity.login", {**login, "password": new})
    return account, session


def pictures_and_posts(warren, account):
    """Create, find and delete a picture and a post."""
    picture = warren.call("media.upload", png(), account, description="Two pixels")
    assert picture["description"] == "Two pixels"
    warren.await_event("media.uploaded", picture["id"])
    assert warren.call("media.get", {"id": picture["id"]}, account) == picture
    listed = warren.call("media.list", {"limit": 5}, account)["media"]
    assert [item["id"] for item in listed] == [picture["id"]]

    change = {"id": picture["id"], "description": "A rabbit"}
    assert warren.call("media.update", change, account) == {**picture, "description": "A rabbit"}
    assert warren.await_event("media.updated", picture["id"])["description"] == "A rabbit"

    word = "w" + uuid.uuid4().hex
    problem = warren.refused(422, "invalid", "post.create", {"content": ""}, account, is_valid=False)
    assert problem["errors"][0]["pointer"] == "/content"
    command = str(uuid.uuid4())
    post = warren.call("post.create", {"content": f"On {word}", "mediaIds": [picture["id"]]}, account, command)
    again = warren.call("post.create", {"content": f"On {word}", "mediaIds": [picture["id"]]}, account, command)
    assert again == post, "a second post.create with the same message_id must return the first reply"
    data = warren.await_event("post.created", post["id"])
    assert data["mediaIds"] == [picture["id"]]

    receipt = warren.call("post.receipt", {"id": command}, account)
    assert (receipt["status"], receipt["result"]["body"]["id"]) == ("done", post["id"])
    assert warren.call("media.receipt", {"id": str(uuid.uuid4())}, account)["status"] == "accepted"

    shown = {"id": picture["id"], "url": picture["url"], "description": "A rabbit"}
    warren.eventually(lambda found: found["media"] == [shown], "post.get", {"id": post["id"]}, account)
    page = warren.call("post.list", {"limit": 1}, account)
    assert page["nextCursor"] is None or warren.call("post.list", {"limit": 1, "cursor": page["nextCursor"]}, account)
    hits = warren.eventually(lambda found: found["posts"], "search.posts", {"query": word}, account)
    assert hits["posts"][0]["id"] == post["id"]

    second = warren.call("media.upload", png(), account)
    warren.call("media.delete", {"id": second["id"]}, account)
    warren.await_event("media.deleted", second["id"])
    warren.call("post.delete", {"id": post["id"]}, account)
    warren.await_event("post.deleted", post["id"])
    # The media service deletes the picture of a deleted post.
    warren.await_event("media.deleted", picture["id"])
    warren.refused(404, "post-not-found", "post.get", {"id": post["id"]}, account)
    warren.refused(404, "media-not-found", "media.get", {"id": picture["id"]}, account)
    warren.eventually(lambda found: not found["posts"], "search.posts", {"query": word}, account)


def main():
    url = os.environ.get("WARREN_INTEGRATOR_URL")
    if not url:
        sys.exit('WARREN_INTEGRATOR_URL is not set; run: eval "$(compose/local env)"')
    warren = Warren(url)
    account, session = sessions(warren)
    pictures_and_posts(warren, account)
    warren.call("identity.logout", {"refreshToken": session["refreshToken"]})
    warren.refused(401, "invalid-refresh-token", "identity.refresh", {"refreshToken": session["refreshToken"]})
    warren.call("identity.logout-all", {}, account)
    warren.close()


if __name__ == "__main__":
    try:
        main()
    except AMQPConnectionError:
        sys.exit("no connection to the broker of WARREN_INTEGRATOR_URL; compose/local status shows if it is running")
    except UnroutableError:
        sys.exit("no queue is bound for this message type")
    except (AMQPError, TimeoutError, Refused) as error:
        sys.exit(f"{type(error).__name__}: {error}")
