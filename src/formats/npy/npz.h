#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/mapped_file.h"
#include "formats/flat_tensors.h"
#include "formats/format.h"
#include "formats/write.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// What stands behind a name in an .npz file where NumPy has no such dtype and the array holds the
/// bits: "__bf16", "__f8e4m3fn", "__i4". Empty for the other dtypes.
std::string_view npz_suffix(DType dtype);

/// The arrays of an .npz file (numpy.savez, savez_compressed), stored ones as views of the mapping.
/// Names come without ".npy"; a suffix of npz_suffix() turns the bits into that dtype and goes.
/// Arrays of Python objects are left out, with a note. kCorrupt, kLimit, kUnsupported.
Result<StateDict> read_npz(const std::shared_ptr<const MappedFile>& file,
                           const ReadLimits& limits = {},
                           std::vector<std::string>* notes = nullptr);

/// Writes tensors as numpy.savez does. The names must differ. kSystem, kNotFound, kOutOfMemory.
Status write_npz(const std::filesystem::path& path, std::span<const NamedTensor> tensors);
/// The same for tensors of any file: quantized ones as the numbers that they stand for, strided ones
/// in C order, one after the other, so that memory is bounded by the biggest.
Result<WriteReport> write_npz(const std::filesystem::path& path,
                              const std::vector<FlatTensor>& tensors, const WriteOptions& options);
/// One tensor as an .npy file. kUsage where there are more or fewer.
Result<WriteReport> write_npy(const std::filesystem::path& path,
                              const std::vector<FlatTensor>& tensors, const WriteOptions& options);

}  // namespace lanthorn
