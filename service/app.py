"""The composition root: everything is wired here, nothing at import time."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from service import logs
from service.config import ROOT, Settings, load_settings
from service.db.engine import Database
from service.incidents.columns import IncidentColumns
from service.intake.demo import remove_demo
from service.places.ground import Ground
from service.records.office import OfficeKeeper
from service.registers.search import Search
from service.responsibility.keeper import Responsibility
from service.web import (
    access,
    accounts,
    answer,
    api,
    balance,
    basemap_files,
    chief_layer,
    drafts,
    drafts_api,
    duties,
    duties_api,
    duty_audit,
    exports,
    imports,
    jobs,
    map_data,
    my,
    office,
    own_account,
    pages,
    people_phone,
    photo_subjects,
    photos,
    problems,
    register_api,
    registers,
    search,
    security,
    sign_in,
    trail,
    wall,
)
from service.web.context import Services
from service.web.sessions import QuietSessions

_MOST_BODY = 8 * 1024 * 1024
_VENDOR_SECONDS = 7 * 24 * 3600


class _Service(Flask):
    """Our own scripts and styles are asked for again each time (an upgrade must not mix old and new modules)."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return _VENDOR_SECONDS if filename and filename.startswith("vendor/") else None


def wire(settings: Settings) -> Services:
    """The services over one database."""
    database = Database(settings.store_url)
    responsibility = Responsibility(database, settings.subdistrict, settings.office_name)
    return Services(
        settings,
        database,
        responsibility,
        IncidentColumns(database),
        Ground(database),
        OfficeKeeper(database, settings),
        Search(database, responsibility),
    )


def create_warm_app() -> Flask:
    """The application of a worker: it reads what answers are made of before the first question comes."""
    app = create_app()
    threading.Thread(target=app.extensions["steward"].warm, name="warm", daemon=True).start()
    return app


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. `settings` default to the environment."""
    logs.configure()
    settings = settings or load_settings()
    app = _Service("service", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "service" / "static"))
    app.config.update(
        SECRET_KEY=settings.session_secret,
        SESSION_COOKIE_NAME="steward",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_SECURE=settings.tls_cert is not None,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        MAX_CONTENT_LENGTH=_MOST_BODY,
        BABEL_DEFAULT_LOCALE="zh_CN",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.session_interface = QuietSessions(None if settings.secret_key else settings.secret_file)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.extensions["steward"] = wire(settings)
    app.extensions["steward_remove_demo"] = remove_demo
    Babel(app)  # type: ignore[no-untyped-call]
    csrf = CSRFProtect(app)
    problems.register(app)
    security.register(app, settings)
    sign_in.register(app)
    modules = (
        *(pages, map_data, chief_layer, duty_audit, basemap_files, answer, search, api, people_phone),
        *(drafts, drafts_api, duties, duties_api, balance, my, wall),
        *(registers, register_api, photos, exports, imports, jobs, office, own_account, accounts, trail),
    )
    for module in modules:
        app.register_blueprint(module.bp)
    csrf.exempt(api.bp)
    csrf.exempt(people_phone.bp)  # it judges cookies itself, so that tokens need none
    csrf.exempt(register_api.bp)
    csrf.exempt(duties_api.bp)
    csrf.exempt(drafts_api.bp)
    photo_subjects.register(app)
    csrf.exempt(imports.receiving.upload)  # checks the token itself: the general check would read 200 MB first
    access.register(app)
    access.complete(app)
    app.context_processor(_page_context)
    return app


def _page_context() -> dict[str, Any]:
    return pages.page_context()
