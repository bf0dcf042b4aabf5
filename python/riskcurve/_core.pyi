from typing import Any

version: str

def __getattr__(name: str) -> Any: ...
