#pragma once

#include <string_view>

#include "lanthorn/result.h"
#include "script/syntax.h"

namespace lanthorn::script {

/// Parses one file of an archive's code: the language that PyTorch 1.0 to 2.13 print, and the
/// arithmetic, comparisons and slices that its loader takes beyond. The tree points into `source`.
/// Python's keywords are accepted as names of attributes. kCorrupt with the line, kLimit where
/// expressions or blocks nest too deep.
Result<FileSyntax> parse_file(std::string_view source);

/// A type on its own, as a type tag of a pickle spells it: "Dict[str, Tensor]".
Result<Type> parse_type(std::string_view source);

}  // namespace lanthorn::script
