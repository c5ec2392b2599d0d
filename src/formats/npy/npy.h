#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "formats/format.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// True if the bytes begin with NumPy's magic.
bool looks_like_npy(std::span<const std::byte> bytes);

/// One array of NumPy's format 1.0 to 3.0 (numpy.lib.format): a view of `bytes`, which `owner`
/// keeps alive, unless its byte order or strings call for a copy. Strings become kString (UTF-8).
/// kCorrupt; kUnsupported for arrays of objects (they would have to be unpickled) and of dtypes
/// that no tensor has; kLimit.
Result<Tensor> read_npy(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                        const ReadLimits& limits);

/// A tensor as an .npy file: `header` and then `data`.
struct NpyFile {
  std::string header;
  Tensor tensor;     // keeps `data`
  std::string text;  // or this does, for strings
  std::span<const std::byte> data() const;
};
/// dtypes that NumPy has not are written as their bits in uint8 or uint16; see npz_suffix().
/// kOutOfMemory.
Result<NpyFile> write_npy(const Tensor& tensor);

}  // namespace lanthorn
