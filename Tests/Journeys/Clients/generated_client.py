#!/usr/bin/env python3
"""Generates a client from openapi.json with openapi-python-client, and uses the API with it only.

    generated_client.py URL PICTURE

URL is the address of an ingress, PICTURE a picture to upload. Python must have the package openapi-python-client.
"""

import importlib
import pathlib
import subprocess
import sys
import tempfile
import urllib.request
import uuid


def generate(url, folder):
    """Write the package warren_client, and return the generator's warnings."""
    document = folder / "openapi.json"
    with urllib.request.urlopen(f"{url}/openapi.json") as response:
        document.write_bytes(response.read())
    (folder / "config.yml").write_text("package_name_override: warren_client\npost_hooks: []\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", document, "--config",
         folder / "config.yml", "--output-path", folder / "warren_client", "--meta", "none"],
        capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"the generator failed:\n{result.stdout}{result.stderr}")
    return [line for line in (result.stdout + result.stderr).splitlines() if "WARNING" in line or "ERROR" in line]


def check(holds, text):
    if not holds:
        sys.exit(f"not true: {text}")
    print(f"  {text}")


def use(url, picture):
    import warren_client
    from warren_client import models, types

    anonymous = warren_client.Client(base_url=url)

    def call(tag, operation, client, **arguments):
        """Call an operation. Return the status and the decoded response."""
        module = importlib.import_module(f"warren_client.api.{tag}.{operation}")
        response = module.sync_detailed(client=client, **arguments)
        return int(response.status_code), response.parsed, response

    def expect(status, kind, tag, operation, client, **arguments):
        got, parsed, response = call(tag, operation, client, **arguments)
        check(got == status, f"{operation}: {status}, got {got} {response.content[:200] if got != status else ''}")
        check(kind is None or isinstance(parsed, kind), f"{operation}: decoded as {getattr(kind, '__name__', None)}")
        return parsed, response

    name = "generated-" + uuid.uuid4().hex[:10]
    password = uuid.uuid4().hex
    session, _ = expect(
        201, models.Session, "identity", "identity_register", anonymous,
        body=models.Register(username=name, email=f"{name}@example.org", password=password))
    problem, _ = expect(
        401, models.Problem, "identity", "identity_login", anonymous,
        body=models.Login(email=f"{name}@example.org", password="wrong"))
    check(problem.code == "invalid-credentials", "the problem has its code")
    session, _ = expect(
        200, models.Session, "identity", "identity_login", anonymous,
        body=models.Login(email=f"{name}@example.org", password=password))
    client = warren_client.AuthenticatedClient(base_url=url, token=session.access_token)
    account, _ = expect(200, models.Account, "identity", "identity_me", client)
    check(account.username == name, "the account has its name")

    with open(picture, "rb") as file:
        media, _ = expect(
            201, models.Media, "media", "media_upload", client,
            body=models.MediaUploadBody(file=types.File(payload=file, file_name="a.png", mime_type="image/png")))
    etag = call("media", "media_get", client, id=media.id)[2].headers["etag"]
    change = models.UpdateMedia(description="A rabbit")
    expect(412, models.Problem, "media", "media_update", client, id=media.id, body=change, if_match='"other"')
    changed, _ = expect(200, models.Media, "media", "media_update", client, id=media.id, body=change, if_match=etag)
    check(changed.description == "A rabbit", "the description is changed")
    post, _ = expect(
        201, models.Post, "post", "post_create", client,
        body=models.CreatePost(content="Generated burrow", media_ids=[media.id]))
    for _ in range(2):
        expect(201, models.Post, "post", "post_create", client, body=models.CreatePost(content="Another one"))
    page, _ = expect(200, models.PostPage, "post", "post_list", client, limit=1)
    check(page.total_posts >= 3 and page.next_cursor, "a numbered page has a total and a cursor")
    page, _ = expect(
        200, models.PostPageAfterCursor, "post", "post_list", client, limit=1, cursor=page.next_cursor)
    check(len(page.posts) == 1, "a page after a cursor has posts")
    problem, _ = expect(422, models.Problem, "post", "post_list", client, limit=1000)
    check(problem.errors[0].pointer == "/limit", "the problem names the parameter")
    got, _ = expect(200, models.Post, "post", "post_get", client, id=post.id)
    check(got.content == "Generated burrow" and got.media[0].id == media.id, "the post is read")
    expect(200, models.MediaPage, "media", "media_list", client)
    expect(200, models.SearchPage, "search", "search_posts", client, query="burrow")

    receipt, response = expect(
        202, models.AcceptedReceipt, "post", "post_create", client, body=models.CreatePost(content="Later"),
        prefer="respond-async", idempotency_key=uuid.uuid4().hex)
    check(receipt.status == "accepted", "the receipt says that the command is accepted")
    token = response.headers["location"].rsplit("/", 1)[1]
    for _ in range(100):
        done, _ = expect(200, models.PostReceipt, "post", "post_receipt", client, receipt=token)
        if done.status == "done":
            break
    check(isinstance(done.result.body, models.Post), "the receipt has the post as a Post")

    etag = call("post", "post_get", client, id=post.id)[2].headers["etag"]
    problem, _ = expect(412, models.Problem, "post", "post_delete", client, id=post.id, if_match='"other"')
    expect(204, None, "post", "post_delete", client, id=post.id, if_match=etag)
    expect(404, models.Problem, "post", "post_get", client, id=post.id)
    session, _ = expect(
        200, models.Session, "identity", "identity_refresh", anonymous,
        body=models.RefreshToken(refresh_token=session.refresh_token))
    expect(
        204, None, "identity", "identity_logout", anonymous,
        body=models.RefreshToken(refresh_token=session.refresh_token))
    expect(200, None, "operation", "ready", anonymous)


def main():
    url, picture = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        warnings = generate(url, folder)
        check(not warnings, f"the generator warns of nothing, not of {warnings}")
        sys.path.insert(0, str(folder))
        use(url, picture)


if __name__ == "__main__":
    main()
