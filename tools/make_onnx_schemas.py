#!/usr/bin/env python3
"""Writes src/formats/onnx/check/schema_text.cpp: what the `onnx` package says of every operator at every opset.

    make_onnx_schemas.py > src/formats/onnx/check/schema_text.cpp

The text has one line for each operator, `DOMAIN.NAME`, then `|` and its versions. A version is `SINCE;INPUTS;OUTPUTS;ATTRIBUTES;TYPES`, with
an `x` behind SINCE where it is deprecated; a field that is `"` is the one of the version before. A port is its type variable, or `=` and the
number of a set of types, then `?` (optional) or `*N` (variadic, at least N of them; `~` where they may differ). An attribute is `NAME:KIND`,
with a `!` where it is required. TYPES are `VARIABLE=SET`.
"""

import onnx
from onnx import defs

PORT = {"Single": "", "Optional": "?", "Variadic": "*"}
KIND = {"FLOAT": "f", "INT": "i", "STRING": "s", "TENSOR": "t", "GRAPH": "g", "FLOATS": "F", "INTS": "I", "STRINGS": "S", "TENSORS": "T",
        "GRAPHS": "G", "SPARSE_TENSOR": "p", "SPARSE_TENSORS": "P", "TYPE_PROTO": "y", "TYPE_PROTOS": "Y"}


def word(value) -> str:
    return str(value).split(".")[-1]


class Types:
    """Sets of types, numbered in order of appearance."""

    def __init__(self):
        self.names, self.sets = {}, {}

    def number(self, allowed) -> int:
        key = tuple(sorted(self.names.setdefault(name, len(self.names)) for name in allowed))
        return self.sets.setdefault(key, len(self.sets))


def port(formal, variables, types: Types) -> str:
    kind = PORT[word(formal.option)]
    if kind == "*":
        kind += str(formal.min_arity) + ("" if formal.is_homogeneous else "~")
    return (formal.type_str if formal.type_str in variables else f"={types.number([formal.type_str])}") + kind


def fields(schema, types: Types) -> list[str]:
    variables = {constraint.type_param_str: types.number(constraint.allowed_type_strs) for constraint in schema.type_constraints}
    attributes = sorted(schema.attributes.values(), key=lambda attribute: attribute.name)
    return [",".join(port(formal, variables, types) for formal in schema.inputs),
            ",".join(port(formal, variables, types) for formal in schema.outputs),
            ",".join(f"{a.name}:{KIND[word(a.type)]}{'!' if a.required else ''}" for a in attributes),
            ",".join(f"{name}={number}" for name, number in variables.items())]


def line(domain: str, name: str, versions: list, types: Types) -> str:
    text, before = f"{domain}.{name}", None
    for schema in sorted(versions, key=lambda schema: schema.since_version):
        now = fields(schema, types)
        shown = ['"' if before and now[i] == before[i] else now[i] for i in range(4)]
        text += f"|{schema.since_version}{'x' if schema.deprecated else ''};" + ";".join(shown)
        before = now
    return text


def main() -> None:
    operators: dict[tuple[str, str], list] = {}
    for schema in defs.get_all_schemas_with_history():
        operators.setdefault((schema.domain, schema.name), []).append(schema)
    types = Types()
    lines = [line(*key, versions, types) for key, versions in sorted(operators.items(), key=lambda item: f"{item[0][0]}.{item[0][1]}")]
    print(f"// Written by tools/make_onnx_schemas.py from onnx {onnx.__version__}; the format is told there.\n")
    print('#include "formats/onnx/check/schema_text.h"\n\nnamespace lanthorn::onnx {\n')
    print("// clang-format off")
    for name, rows in (("kTypeNames", types.names), ("kTypeSets", [sum(1 << i for i in members) for members in types.sets]),
                       ("kOperators", lines)):
        print(f"extern constinit const std::string_view {name} =")
        print("\n".join(f'    R"({row})" "\\n"' if isinstance(row, str) else f'    "{row:x}\\n"' for row in rows) + ";\n")
    print("// clang-format on\n\n}  // namespace lanthorn::onnx")


if __name__ == "__main__":
    main()
