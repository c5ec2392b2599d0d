#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// One entry of a safetensors header.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;  // as written: "F32"
  Shape shape;
  uint64_t begin = 0, end = 0;  // in the bytes behind the header
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of the header
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// Parses the JSON of the header. kCorrupt for what the format does not allow in it, kLimit for
/// more entries than a model can have.
Result<SafetensorsHeader> parse_safetensors_header(std::string_view json);

}  // namespace lanthorn
