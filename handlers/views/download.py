"""Download: in which format, and where the file went."""

from handlers import ids
from handlers.references import ListReference
from handlers.views.blocks import Json, actions, button, header, modal, section

HEADER = "Download"


def of_list(what: str, reference: ListReference) -> Json:
    buttons = [button("Excel", ids.LIST_AS_EXCEL), button("CSV", ids.LIST_AS_CSV)]
    return _choice(what, buttons, str(reference))


def of_run(what: str, run_id: int) -> Json:
    buttons = [
        button("Excel", ids.RESULT_AS_EXCEL, str(run_id)),
        button("CSV", ids.RESULT_AS_CSV, str(run_id)),
    ]
    return _choice(what, buttons, "")


def on_its_way(name: str) -> Json:
    return _said(f"{name} is being made. You can close this: it comes in your direct messages with Paylink.")


def sent(name: str) -> Json:
    return _said(f"{name} is in your direct messages with Paylink.")


def _choice(what: str, buttons: list[Json], reference: str) -> Json:
    blocks = [
        header(HEADER),
        section(f"{what}\nThe file comes in your direct messages with Paylink."),
        actions(buttons, block_id="format"),
    ]
    return modal("Paylink", blocks, callback_id=ids.DOWNLOAD_VIEW, private_metadata=reference)


def _said(text: str) -> Json:
    return modal("Paylink", [header(HEADER), section(text)], callback_id=ids.DOWNLOAD_VIEW)
