#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lanthorn::script {

/// The model's own file and line that offset `offset` of a code file was printed from, out of the
/// file's `.debug_pkl` record: both its forms, with and without a table of lines. Empty where the
/// record is broken or does not tell.
std::string place_from_debug_records(std::string_view record, uint32_t offset);

}  // namespace lanthorn::script
