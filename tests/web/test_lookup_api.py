"""GET and POST /api/v1/lookup as CONTRACT has them."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

INSIDE = {"lon": "109.8782", "lat": "31.0718"}


def test_the_lookup_object_has_every_member_of_the_contract(supervisor: FlaskClient) -> None:
    answer = supervisor.get("/api/v1/lookup", query_string=INSIDE)
    body = answer.json
    assert answer.status_code == 200
    assert body["point"] == {"lon": 109.8782, "lat": 31.0718}
    assert body["on"] == "2026-11-23"
    members = "point on edition grid community duties frontage near_boundary near_boundary_m neighbours"
    assert set(body) >= set(members.split())
    assert set(body["grid"]) == {"code", "name", "kind", "micro_grid"}
    assert body["community"]["code"] == body["grid"]["code"][:12]
    assert body["near_boundary_m"] == 10
    duty = body["duties"][0]
    assert set(duty) == {"role", "role_name", "person", "acting_for", "subject", "from", "until"}
    assert set(duty["subject"]) == {"kind", "code", "name"}
    roles = [one["role"] for one in body["duties"]]
    assert "grid_leader" in roles
    kinds = [one["subject"]["kind"] for one in body["duties"]]
    order = ["frontage", "building", "micro_grid", "grid", "street", "place", "community", "subdistrict"]
    assert [order.index(kind) for kind in kinds] == sorted(order.index(kind) for kind in kinds)


def test_outside_every_grid_the_nearest_is_named(public: FlaskClient) -> None:
    body = public.get("/api/v1/lookup?lon=109.95&lat=31.07").json
    assert body["grid"] is None and body["community"] is None
    assert body["nearest"]["distance_m"] > 1000
    assert body["duties"] == []


def test_coordinates_of_another_system_are_shifted_first(supervisor: FlaskClient) -> None:
    """DOMAIN §6: WGS-84 (109.88, 31.07) is GCJ-02 (109.884738, 31.067551)."""
    plain = supervisor.get("/api/v1/lookup?lon=109.88&lat=31.07").json
    shifted = supervisor.get("/api/v1/lookup?lon=109.884738&lat=31.067551&crs=gcj02").json
    assert shifted["grid"] == plain["grid"]
    assert shifted["point"]["lon"] == pytest.approx(109.88, abs=1e-6)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "lon"),
        ("lon=109.88", "lat"),
        ("lon=abc&lat=31", "lon"),
        ("lon=nan&lat=31", "lon"),
        ("lon=31.07&lat=109.88", "lat"),
        ("lon=500&lat=31", "lon"),
        ("lon=109.88&lat=31.07&crs=mars", "crs"),
        ("lon=109.88&lat=31.07&on=yesterday", "on"),
    ],
)
def test_bad_input_is_a_problem_that_names_the_field(public: FlaskClient, query: str, field: str) -> None:
    answer = public.get(f"/api/v1/lookup?{query}")
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    body = answer.json
    assert body["status"] == 422
    assert body["errors"][0]["field"] == field
    assert "Traceback" not in answer.text


def test_a_batch_answers_in_order(public: FlaskClient) -> None:
    points = [[109.8782, 31.0718], [0, 0], [109.88, 31.07]]
    results = public.post("/api/v1/lookup", json={"points": points}).json["results"]
    assert [one["grid"] is None for one in results] == [False, True, False]
    single = public.get("/api/v1/lookup?lon=109.88&lat=31.07").json
    assert results[2] == {
        "grid": single["grid"]["code"],
        "community": single["community"]["code"],
        "near_boundary": single["near_boundary"],
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "points"),
        ({"points": [["a", 1]]}, "points.0.0"),
        ({"points": [[1, 2, 3]]}, "points.0"),
        ({"points": [], "when": 1}, "when"),
        ({"points": [], "on": "2026-13-01"}, "on"),
    ],
)
def test_a_bad_batch_names_the_place(public: FlaskClient, body: object, field: str) -> None:
    answer = public.post("/api/v1/lookup", json=body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == field


def test_a_body_that_is_no_json(public: FlaskClient) -> None:
    assert public.post("/api/v1/lookup", data="{", content_type="application/json").status_code == 422


def test_too_many_points(public: FlaskClient) -> None:
    answer = public.post("/api/v1/lookup", json={"points": [[1, 2]] * 10_001})
    assert answer.status_code == 429
    assert "10000" in answer.json["detail"]


def test_an_unknown_address_is_a_problem(public: FlaskClient) -> None:
    answer = public.get("/api/v1/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_a_wrong_token_is_the_public(public: FlaskClient) -> None:
    answer = public.get("/map/clusters?bbox=1,1,2,2&z=3", headers={"Authorization": "Bearer gst_wrong"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("points", "field"),
    [
        ("[[109.8, 31], [NaN, 31]]", "points.1.0"),
        ("[[Infinity, 31]]", "points.0.0"),
        ("[[1e400, 31]]", "points.0.0"),
        ("[[109.8, 31], [1000, 31]]", "points.1"),
        ("[[31, 109]]", "points.0"),
        ("[[true, 1]]", "points.0.0"),
        ('[["109.8", "31"]]', "points.0.0"),
    ],
)
def test_a_batch_names_the_point_that_is_none(public: FlaskClient, points: str, field: str) -> None:
    answer = public.post("/api/v1/lookup", data=f'{{"points": {points}}}')
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]


def test_a_token_that_is_none_is_refused_and_not_taken_for_the_public(public: FlaskClient) -> None:
    for given in ("Bearer wrong", "Bearer", "Basic YWRtaW46YWRtaW4="):
        answer = public.get("/api/v1/lookup?lon=109.8782&lat=31.0718", headers={"Authorization": given})
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), given


@pytest.mark.parametrize("cell", ["²", "٣", "1e3", "-64", "99999999999999999999"])
def test_a_number_that_only_looks_like_one_is_named(supervisor: FlaskClient, cell: str) -> None:
    asked = {"bbox": "109.8,31,110,31.2", "z": "14", "cell": cell}
    assert supervisor.get("/map/clusters", query_string=asked).status_code == 422
