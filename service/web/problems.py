"""Errors at the edge: one table from the domain's error classes to HTTP status; pages and problem+json (RFC 9457)."""

from __future__ import annotations

import secrets

import structlog
from flask import Flask, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from service.errors import (
    BadSetting,
    Conflict,
    InvalidValue,
    NotAllowed,
    NotFound,
    NothingStored,
    NotSignedIn,
    StewardError,
    TooMany,
    UnreadableFile,
)
from service.web import refusals

log = structlog.get_logger()

STATUS: dict[type[StewardError], tuple[int, str]] = {
    InvalidValue: (422, "填写有误"),
    UnreadableFile: (422, "文件读不了"),
    NothingStored: (422, "没有存入"),
    NotFound: (404, "没有找到"),
    NotSignedIn: (401, "请先登录"),
    NotAllowed: (403, "没有权限"),
    Conflict: (409, "有冲突"),
    TooMany: (429, "太多了"),
    BadSetting: (500, "配置有误"),
    StewardError: (500, "出错了"),
}
_HTTP_TITLES = {
    400: "请求有误",
    401: "请先登录",
    403: "没有权限",
    404: "没有这个页面",
    405: "不能这样请求",
    413: "太大了",
    429: "请求太多",
}
_HTTP_HINTS = {
    400: "页面可能开得太久了，刷新后再试。",
    404: "网址可能写错了，或者内容已经不在。回到地图重新找。",
    405: "这个网址不接受这种请求。",
    413: "请求太大，分几次发送。",
    429: "请求太密，稍等一会儿再试。",
}


def status_of(error: type[StewardError]) -> tuple[int, str]:
    """(status, title) of an error class, by its nearest ancestor in the table."""
    for kind in error.__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500, "出错了"


def wants_json() -> bool:
    """Programs get problem+json, people get a page."""
    if request.path.startswith(("/api/", "/map/", "/changes", "/healthz", "/phones/")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def register(app: Flask) -> None:
    refusals.register(app)
    app.register_error_handler(StewardError, _domain)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def problem(status: int, title: str, detail: str, field: str | None = None, ref: str | None = None) -> Response:
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if field is not None:
        body["errors"] = [{"field": field, "message": detail}]
    if ref:
        body["instance"] = f"urn:steward:{ref}"
    answer = jsonify(body)
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Grid Steward"'
    return answer


def page(status: int, title: str, detail: str, ref: str | None = None) -> tuple[str, int]:
    return render_template("errors/error.html", status=status, title=title, detail=detail, ref=ref), status


def _domain(error: StewardError) -> BaseResponse | tuple[str, int]:
    error = refusals.write_down(error)
    status, title = status_of(type(error))
    if status == 500:
        return _unexpected(error)
    if wants_json():
        return problem(status, title, error.message, getattr(error, "field", None))
    if status == 401 and "HTTP_AUTHORIZATION" not in request.environ:
        return redirect(url_for("sign_in.login", next=request.full_path.rstrip("?")))
    return page(status, _(title), error.message)


def _http(error: HTTPException) -> BaseResponse | tuple[str, int]:
    too_many = refusals.foreign_form() if isinstance(error, CSRFError) else None
    if too_many is not None:
        return _domain(too_many)
    status = error.code or 500
    if status < 400:
        return error.get_response()
    title = _HTTP_TITLES.get(status, "出错了")
    detail = _HTTP_HINTS.get(status, "请求没有成功，稍后再试。")
    return problem(status, title, detail) if wants_json() else page(status, title, detail)


def _unexpected(error: Exception) -> BaseResponse | tuple[str, int]:
    """The last resort at the edge: logged with a reference, nothing of the internals shown."""
    ref = secrets.token_hex(4)
    log.error("unexpected", ref=ref, path=request.path, exc_info=error)
    detail = f"服务出了问题，已经记下。请把编号 {ref} 告诉管理员。"
    return problem(500, "出错了", detail, ref=ref) if wants_json() else page(500, "出错了", detail, ref)
