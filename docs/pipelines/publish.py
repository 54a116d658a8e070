"""Publish what `plan.py` wrote: a comment on the pull request, or an issue for drift. One each, which is updated.

    publish.py github-comment|github-issue|azure-comment|azure-work-item --stacks LIST FOLDER

Needs the token of the run (GITHUB_TOKEN or SYSTEM_ACCESSTOKEN), and no credentials of a tenant: it belongs into a job
of its own. LIST is JSON, of names or of objects with `name`; a stack of it without a plan is told as such. The text of
an issue is the newest state, and it is closed once every stack was looked at and none has drifted.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import requests

from xtsync_resources.operate.report.markdown import escaped

TITLE = "Cross-tenant synchronization: drift"
LABEL = "xtsync-drift"
MARKER = "<!-- xtsync -->"
OPEN_WORK_ITEMS = (
    "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [System.Tags] CONTAINS 'xtsync-drift' "
    "AND [System.State] NOT IN ('Done', 'Closed', 'Resolved', 'Removed')"
)
SECONDS = 60
# GitHub takes 65,536 characters for a comment or an issue.
MOST_TEXT = 60_000
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
API_VERSION = {"api-version": "7.1"}
Plan = Mapping[str, Any]


class Api:
    """An address of the host that runs the pipeline, and the run's token for it."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base.rstrip("/")
        self._session = requests.Session()
        # Said as an object, so that no ~/.netrc takes its place.
        self._session.auth = Bearer(token)

    def __call__(self, method: str, path: str, **more: Any) -> Any:
        """The answer to a call, read as JSON."""
        answer = self._session.request(method, f"{self._base}/{path}", timeout=SECONDS, allow_redirects=False, **more)
        if answer.status_code >= requests.codes.multiple_choices:
            raise SystemExit(f"error: {method} {path}: {answer.status_code}. May the token of this run do that?")
        return answer.json()


class Bearer(requests.auth.AuthBase):
    """A token in the header of each call."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add it."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


# --- GitHub ------------------------------------------------------------------------------------------------


def github() -> Api:
    """GitHub, for this repository."""
    return Api(f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}", os.environ["GITHUB_TOKEN"])


def github_comment(plans: Sequence[Plan]) -> None:
    """Comment on the pull request."""
    api, path = github(), f"issues/{os.environ['PULL_REQUEST']}/comments"
    found, body = ours(api, path), {"body": f"{MARKER}\n{joined(plans)}"}
    if found is None:
        api("POST", path, json=body)
    else:
        api("PATCH", f"issues/comments/{found['id']}", json=body)


def github_issue(plans: Sequence[Plan]) -> None:
    """Open, update or close the issue that tells of drift."""
    api = github()
    found, body = ours(api, "issues"), {"title": TITLE, "body": f"{MARKER}\n{joined(plans)}"}
    if found is not None:
        state = "open" if needs_attention(plans) else "closed"
        api("PATCH", f"issues/{found['number']}", json={**body, "state": state})
    elif needs_attention(plans):
        api("POST", "issues", json={**body, "labels": [LABEL]})


def ours(api: Api, path: str) -> Mapping[str, Any] | None:
    """The comment or open issue that an earlier run has made; None without."""
    page = 1
    while listed := api("GET", path, params={"per_page": 100, "page": page}):
        for one in listed:
            if one["user"]["type"] == "Bot" and (one["body"] or "").startswith(MARKER) and "pull_request" not in one:
                return cast("Mapping[str, Any]", one)
        page += 1
    return None


# --- Azure DevOps ------------------------------------------------------------------------------------------


def azure_devops() -> Api:
    """Azure DevOps, for this project."""
    return Api(
        f"{os.environ['SYSTEM_COLLECTIONURI']}{os.environ['SYSTEM_TEAMPROJECTID']}", os.environ["SYSTEM_ACCESSTOKEN"]
    )


def azure_comment(plans: Sequence[Plan]) -> None:
    """Comment on the pull request."""
    api = azure_devops()
    pull_request = f"pullRequests/{os.environ['SYSTEM_PULLREQUEST_PULLREQUESTID']}"
    threads = f"_apis/git/repositories/{os.environ['BUILD_REPOSITORY_ID']}/{pull_request}/threads"
    comment = {"content": f"{MARKER}\n{joined(plans)}", "commentType": 1}
    for thread in api("GET", threads, params=API_VERSION)["value"]:
        first = thread["comments"][0]
        if (first.get("content") or "").startswith(MARKER):
            path = f"{threads}/{thread['id']}/comments/{first['id']}"
            api("PATCH", path, params=API_VERSION, json={"content": comment["content"]})
            return
    api("POST", threads, params=API_VERSION, json={"comments": [{"parentCommentId": 0, **comment}], "status": "closed"})


def azure_work_item(plans: Sequence[Plan]) -> None:
    """Open, update or close the work item that tells of drift: a WORK_ITEM_TYPE, which ends as WORK_ITEM_DONE."""
    api = azure_devops()
    found = api("POST", "_apis/wit/wiql", params=API_VERSION, json={"query": OPEN_WORK_ITEMS})["workItems"]
    fields = {"System.Title": TITLE, "System.Description": f"<pre>{html.escape(joined(plans))}</pre>"}
    if found:
        if not needs_attention(plans):
            fields["System.State"] = os.environ["WORK_ITEM_DONE"]
        path, method = f"_apis/wit/workitems/{found[0]['id']}", "PATCH"
    elif needs_attention(plans):
        fields["System.Tags"] = LABEL
        path, method = f"_apis/wit/workitems/${os.environ['WORK_ITEM_TYPE']}", "POST"
    else:
        return
    changes = [{"op": "add", "path": f"/fields/{name}", "value": value} for name, value in fields.items()]
    api(method, path, params=API_VERSION, headers=JSON_PATCH, json=changes)


# --- both --------------------------------------------------------------------------------------------------


def plans_of(names: Sequence[str], folder: Path) -> list[Plan]:
    """The plan of each stack; one that says so where its job did not get that far."""
    found = {path.stem: json.loads(path.read_text()) for path in folder.rglob("*.json")}
    return [found.get(name) or missing(name) for name in names]


def missing(name: str) -> Plan:
    """The plan of a stack that nobody looked at."""
    text = f"### {escaped(name)}: failed\n\nIt could not be looked at. The log of the run says why.\n"
    return {"stack": name, "exitCode": 1, "markdown": text}


def needs_attention(plans: Sequence[Plan]) -> bool:
    """Whether a stack has drifted, or could not be looked at."""
    return any(plan["exitCode"] for plan in plans)


def joined(plans: Sequence[Plan]) -> str:
    """The descriptions of all stacks, those first that want to be looked at; cut where a whole one does not fit."""
    text = ""
    for index, plan in enumerate(sorted(plans, key=lambda plan: (not plan["exitCode"], plan["stack"]))):
        if len(text) + len(plan["markdown"]) > MOST_TEXT:
            return f"{text}{len(plans) - index} more stacks are in the summaries of the run.\n"
        text += f"{plan['markdown']}\n"
    return text


PUBLISHERS: Mapping[str, Callable[[Sequence[Plan]], None]] = {
    "github-comment": github_comment,
    "github-issue": github_issue,
    "azure-comment": azure_comment,
    "azure-work-item": azure_work_item,
}


def main(arguments: list[str]) -> None:
    """Read the plans and publish them."""
    parser = argparse.ArgumentParser(description="Publish what plan.py wrote.")
    parser.add_argument("where", choices=sorted(PUBLISHERS))
    parser.add_argument("--stacks", metavar="LIST", type=json.loads, required=True)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    names = [stack if isinstance(stack, str) else stack["name"] for stack in given.stacks]
    PUBLISHERS[given.where](plans_of(names, given.folder))


if __name__ == "__main__":
    main(sys.argv[1:])
