"""The models that are installed, and where."""

from pathlib import Path

from edge_app.contract import Contract, read_contract
from edge_app.errors import ContractError, ModelNotFound

CARD = ".card.json"  # a model's card as data, beside its contract
PREFERRED = ("cnn4", "cnn4-fashion-mnist")


def assets_dir() -> Path:
    """The assets: inside the package where it was installed as a wheel, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "assets"
    return installed if installed.is_dir() else package.parent / "assets"


def contract_path(model: str) -> Path:
    """The contract of an installed model, or of any model given as the path of its .json or .tflite file.

    Raises ModelNotFound, naming the models there are.
    """
    if model.endswith((".json", ".tflite")):
        path = Path(model).with_suffix(".json")
        if _is_file(path):
            return path
        raise ModelNotFound(f"{path}: no such contract. A model is a .tflite file with its .json beside it.")
    installed = _paths()
    if model not in installed:  # as it is written: a file system may not tell CNN4 from cnn4
        there_are = ", ".join(contract.name for contract in contracts()) or "none at all"
        raise ModelNotFound(f"no model {model!r}. Installed: {there_are}.")
    _installed(installed[model])
    return installed[model]


def _paths() -> dict[str, Path]:
    """The installed contracts by their files' names, in their order."""
    found = sorted((assets_dir() / "models").glob("*.json"))
    return {path.stem: path for path in found if not path.name.startswith(".") and not path.name.endswith(CARD)}


def contracts() -> list[Contract]:
    """The contracts of all installed models, by name. Raises ContractError if one is malformed or misnamed."""
    return [_installed(path) for path in _paths().values()]


def _installed(path: Path) -> Contract:
    """An installed model is asked for by its file's name: its contract has to say the same one."""
    contract = read_contract(path)
    if contract.name != path.stem:
        raise ContractError(
            f"{path}: the model's name is {contract.name!r}. Give its two files that name, or remove them."
        )
    return contract


def _is_file(path: Path) -> bool:
    """Also false for what cannot be looked at: a name too long, a folder without permission."""
    try:
        return path.is_file()
    except OSError:
        return False


def default_model() -> str:
    """The app's choice: cnn4, while there is none cnn4-fashion-mnist, else the first installed."""
    installed = _paths()
    for name in (*PREFERRED, *installed):
        if name in installed:
            return name
    raise ModelNotFound(f"no model in {assets_dir() / 'models'}. Convert one: python -m converters RUN.")
