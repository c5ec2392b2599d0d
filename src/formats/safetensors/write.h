#pragma once

#include <filesystem>
#include <vector>

#include "formats/flat_tensors.h"
#include "formats/write.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Writes tensors as the format's own library does, byte by byte: ordered by dtype and name, without
/// holes, the header padded to a multiple of 8. Of tensors that are the same view of one Storage the
/// one whose name comes first is written, and the metadata says which names the others had, as
/// safetensors' save_model does; unless options.copy_tied. Quantized tensors are written as the
/// numbers that they stand for. kUnsupported for dtypes that the format has not, all at once; kSystem.
Result<WriteReport> write_safetensors(const std::filesystem::path& path,
                                      const std::vector<FlatTensor>& tensors,
                                      const WriteOptions& options);

}  // namespace lanthorn
