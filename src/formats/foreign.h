#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

#include "lanthorn/result.h"

namespace lanthorn {

/// Says what a file of some other program is, by its first bytes, and what to do about it:
/// kUnsupported for models that are well but not read, kCorrupt for what is there in a model's
/// place (a web page, a pointer, an archive that hides what is in it). Nothing where the bytes are
/// unknown.
std::optional<Error> foreign_file(std::span<const std::byte> bytes);
/// The same for the two kinds of message that an ONNX model's first bytes look like: TensorFlow's
/// saved_model.pb and Core ML's .mlmodel.
std::optional<Error> foreign_message(std::span<const std::byte> bytes);
/// The same for a folder that is a model of another framework.
std::optional<Error> foreign_folder(const std::filesystem::path& folder);

}  // namespace lanthorn
