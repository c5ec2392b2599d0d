#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "lanthorn/lanthorn.h"

namespace lanthorn {

/// The model's inputs out of an .npz file: entries by the ports' names (NAME, NAME__bf16, NAME#0,
/// NAME@keys and so on), or in0, in1, ... by position where no port's name is there. Other entries
/// are ignored.
Result<std::vector<NamedValue>> read_input_values(const std::filesystem::path& path, const std::vector<Port>& ports);
/// Writes values as .npz entries the same way, atomically.
Status write_output_values(const std::filesystem::path& path, std::span<const NamedValue> values);
/// The entries of an .npz file that hold this value; for comparing with a recorded output.
Result<std::vector<NamedTensor>> value_entries(const NamedValue& value);

}  // namespace lanthorn
