#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lanthorn/model.h"
#include "lanthorn/tensor.h"
#include "serve/json_document.h"
#include "serve/validation.h"

namespace lanthorn {

/// What nested lists of numbers a model's input takes: one size a level, -1 where any is allowed (at
/// least one). It validates as pydantic does a list of lists with min_length and max_length.
struct ArraySchema {
  DType dtype = DType::kF32;
  bool has_shape = false;        // false: any depth, as long as it is rectangular
  std::vector<int64_t> sizes;

  static ArraySchema of(const Port& port);
  /// Its JSON Schema, for the OpenAPI document.
  std::string json_schema() const;
};

/// Reads text that is `{"data": [[numbers]], "output": bool}` and nothing unusual, straight into a
/// tensor. False where anything needs the careful reader; then nothing is decided.
bool read_plain_request(std::string_view text, const ArraySchema& schema, Tensor& data, bool& wants_output);

/// Reads nested lists out of a parsed document. Adds every mistake to `details`, with `loc` as the path
/// so far; an undefined tensor where there are any.
Tensor read_array(const JsonDocument& document, const JsonDocument::Node& node, const ArraySchema& schema,
                  std::vector<std::variant<int64_t, std::string>> loc, std::vector<Detail>& details);

/// pydantic's bool in lax mode: true, false, 0, 1, "yes", "off" and so on.
bool read_flag(const JsonDocument& document, const JsonDocument::Node& node,
               std::vector<std::variant<int64_t, std::string>> loc, std::vector<Detail>& details);

}  // namespace lanthorn
