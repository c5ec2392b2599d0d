#pragma once

namespace lanthorn {

/// `--version`: name, version, instruction sets, and the formats that are read and written.
void print_version();
/// The same as one JSON document, with the table of operators.
void print_version_json();

}  // namespace lanthorn
