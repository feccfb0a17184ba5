"""A request's way through the API: key, rate, version, endpoint, idempotency, permission, parameters, effect, answer.

The order is Stripe's where it shows (429s come before the idempotency layer, /rate-limits; refused parameters leave an
idempotency key free, /api/idempotent_requests).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import partial
from typing import Any, Protocol

from aiohttp import web

from sandbox.stripe import errors
from sandbox.stripe.act import Act
from sandbox.stripe.api.endpoints import ENDPOINTS, Endpoint
from sandbox.stripe.api.keys import ApiKey
from sandbox.stripe.api.listing import expanded
from sandbox.stripe.api.parameters import checked, decode, spec_of
from sandbox.stripe.errors import ApiError
from sandbox.stripe.events.log import API_VERSION
from sandbox.stripe.faults import Fault, FaultKind, Faults

Json = dict[str, Any]
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
BEFORE_EFFECT = {FaultKind.ERROR, FaultKind.CODED, FaultKind.RATE_LIMIT, FaultKind.LOCK_TIMEOUT}


@dataclass(slots=True)
class RequestRecord:
    """One request as it came. `at` is monotonic, `created` Stripe's time; `status` None: no answer was sent (yet)."""

    at: float
    created: int
    method: str
    path: str
    request_id: str
    params: Json = field(default_factory=dict)
    key: str | None = None
    """The API key, redacted."""
    idempotency_key: str | None = None
    livemode: bool | None = None
    status: int | None = None
    replayed: bool = False
    fault: str | None = None


@dataclass(slots=True)
class Answer:
    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


class Account(Protocol):
    """What the API needs of the server around it."""

    faults: Faults

    def find_key(self, secret: str) -> ApiKey | None: ...
    def rate_refusal(self, key: ApiKey, endpoint: str, at: float) -> ApiError | None: ...
    def act(self, account: str, livemode: bool, cause: Json | None = None) -> Act: ...
    def now(self) -> int: ...
    def changed(self) -> None: ...


class Api:
    def __init__(self, account: Account, log: Callable[[RequestRecord], None]) -> None:
        self._account = account
        self._log = log

    def add_routes(self, app: web.Application) -> None:
        for endpoint in ENDPOINTS:
            app.router.add_route(endpoint.method, endpoint.path, partial(self.serve, endpoint))
        app.router.add_route("*", "/v1{rest:.*}", partial(self.serve, None))
        app.router.add_route("*", "/v2{rest:.*}", partial(self.serve, None))

    async def serve(self, endpoint: Endpoint | None, request: web.Request) -> web.StreamResponse:
        record = RequestRecord(
            time.monotonic(), self._account.now(), request.method, request.path, f"req_{secrets.token_hex(7)}"
        )
        record.idempotency_key = request.headers.get("Idempotency-Key")
        text = (
            (await request.read()).decode("utf-8", "replace")
            if request.method == "POST"
            else request.query_string
        )
        fault = self._account.faults.take(request.method, request.path)
        record.fault = fault.kind.value if fault else None
        self._log(record)
        if fault is not None and fault.kind is FaultKind.DROP:
            return dropped(request)
        if fault is not None and fault.kind is FaultKind.GARBLED:
            page = "<html><h1>Bad gateway</h1></html>"
            return self._foreign(replace(fault, body=page, content_type="text/html"), record)
        if fault is not None and fault.kind is FaultKind.FOREIGN and not fault.after:
            return self._foreign(fault, record)
        answer = await self._answer(endpoint, request, text, record, fault)
        if fault is not None and fault.kind is FaultKind.LATE:
            await fault.wait()
        if fault is not None and fault.kind is FaultKind.LOST:
            return dropped(request)
        if fault is not None and fault.kind is FaultKind.FOREIGN:
            return self._foreign(fault, record)
        if fault is not None:
            answer.headers |= fault.headers
        record.status = answer.status
        response = web.Response(status=answer.status, body=answer.body.encode(), headers=answer.headers)
        if fault is not None and fault.kind is FaultKind.TRUNCATED:
            return await truncated(request, response, answer.body.encode())
        return response

    def _foreign(self, fault: Fault, record: RequestRecord) -> web.Response:
        """What somebody between Stripe and its caller says."""
        record.status = fault.status
        headers = {"Date": formatdate(self._account.now(), usegmt=True)} | fault.headers
        return web.Response(
            status=fault.status, body=fault.body.encode(), content_type=fault.content_type, headers=headers
        )

    async def _answer(
        self,
        endpoint: Endpoint | None,
        request: web.Request,
        text: str,
        record: RequestRecord,
        fault: Fault | None,
    ) -> Answer:
        """Turns a refusal into its answer; the headers are on every answer (/api/request_ids, /api/versioning)."""
        version = request.headers.get("Stripe-Version", API_VERSION)
        common = {
            "Content-Type": "application/json",
            # By Stripe's clock (RFC 9110, 6.6.1), which need not agree with its caller's.
            "Date": formatdate(record.created, usegmt=True),
            "Request-Id": record.request_id,
            "Stripe-Version": version,
        }
        if record.idempotency_key and request.method == "POST":
            common["Idempotency-Key"] = record.idempotency_key
        account = ""
        try:
            key = self._authenticated(request)
            account, record.livemode, record.key = key.account, key.livemode, key.redacted
            answer = await self._admitted(endpoint, request, text, record, key, fault)
        except ApiError as refusal:
            answer = _refusal(refusal, record, account)
        answer.headers = common | answer.headers
        return answer

    def _authenticated(self, request: web.Request) -> ApiKey:
        """/api/authentication: Bearer, or Basic with the key as user name; Stripe-Account must be the key's own, since
        Connect isn't modelled."""
        secret = _credentials(request.headers.get("Authorization", ""))
        if not secret:
            raise errors.no_key()
        if secret.startswith("pk_"):
            raise errors.publishable_key()
        key = self._account.find_key(secret)
        if key is None:
            raise errors.bad_key(secret[:8] + "*" * max(len(secret) - 12, 3) + secret[-4:])
        if key.revoked or key.expired:
            raise errors.expired_key(key.redacted)
        asked = request.headers.get("Stripe-Account", key.account)
        if asked != key.account:
            raise errors.foreign_account(key.redacted, asked)
        return key

    async def _admitted(
        self,
        endpoint: Endpoint | None,
        request: web.Request,
        text: str,
        record: RequestRecord,
        key: ApiKey,
        fault: Fault | None,
    ) -> Answer:
        """Authenticated. Limits of rate, then idempotency around the endpoint itself."""
        name = f"{request.method} {request.path if endpoint is None else endpoint.path}"
        if refusal := self._account.rate_refusal(key, name, record.at):
            raise refusal
        if fault is not None and fault.kind in BEFORE_EFFECT:
            raise _refusal_before_effect(fault)
        version = request.headers.get("Stripe-Version", API_VERSION)
        if not VERSION.fullmatch(version) or version[:10] > API_VERSION[:10]:
            raise errors.invalid(f"Invalid Stripe API version: {version}")
        if endpoint is None:
            raise errors.unknown_url(request.method, request.path)
        record.params = decode(text)
        cause = {"id": record.request_id, "idempotency_key": record.idempotency_key}
        act = self._account.act(key.account, key.livemode, cause)
        act.version = version
        execute = partial(
            self._execute, endpoint, request.match_info.get("id", ""), record.params, key, act, fault
        )
        if request.method != "POST" or not record.idempotency_key:
            return await execute()
        return await self._once(act, request.path, text, record, execute)

    async def _once(
        self, act: Act, path: str, text: str, record: RequestRecord, execute: Callable[[], Any]
    ) -> Answer:
        keys, idempotency_key = act.world.idempotency, record.idempotency_key or ""
        kept = keys.begin(
            idempotency_key, path=path, params=text, now=act.created, request_id=record.request_id
        )
        if kept is not None:
            record.replayed = True
            headers = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
            return Answer(kept.status or 500, kept.body, headers)
        answer: Answer
        try:
            answer = await execute()
        except ApiError as refusal:
            if not refusal.kept:
                keys.forget(idempotency_key)
                raise
            answer = _refusal(refusal, record, act.world.account)
        except BaseException:
            keys.forget(idempotency_key)
            raise
        keys.finish(idempotency_key, answer.status, answer.body)
        self._account.changed()
        return answer

    async def _execute(
        self, endpoint: Endpoint, object_id: str, params: Json, key: ApiKey, act: Act, fault: Fault | None
    ) -> Answer:
        if not key.allows(endpoint.permission):
            raise errors.forbidden(key.redacted, key.account, endpoint.permission)
        given = checked(params, spec_of(endpoint.params))
        if fault is not None and fault.kind is FaultKind.SLOW:
            await fault.wait()
        if fault is not None and fault.kind is FaultKind.KEPT_ERROR:
            raise errors.server_error(fault.status, kept=True)
        result = endpoint.handle(act, object_id, given)
        if endpoint.method != "GET":
            self._account.changed()
        if fault is not None and fault.kind is FaultKind.DONE_ERROR:
            raise errors.server_error(fault.status, kept=True)
        return Answer(200, json.dumps(expanded(act, result, given.get("expand", ()))))


def _refusal(refusal: ApiError, record: RequestRecord, account: str) -> Answer:
    body = refusal.body(record.request_id, livemode=bool(record.livemode), account=account)
    return Answer(refusal.status, json.dumps(body), refusal.headers)


def _refusal_before_effect(fault: Fault) -> ApiError:
    if fault.kind is FaultKind.RATE_LIMIT:
        return errors.rate_limited("global-rate")
    if fault.kind is FaultKind.LOCK_TIMEOUT:
        return errors.lock_timeout()
    if fault.kind is FaultKind.CODED:
        return errors.coded(fault.status, fault.code)
    return errors.server_error(fault.status)


def _credentials(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def dropped(request: web.Request) -> web.Response:
    """Closes the connection; the response that aiohttp wants goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def truncated(request: web.Request, response: web.Response, body: bytes) -> web.StreamResponse:
    """Promises the whole body, sends half and closes."""
    half = web.StreamResponse(status=response.status, headers=response.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half
