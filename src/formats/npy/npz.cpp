#include "formats/npy/npz.h"

#include <array>
#include <cstring>

#include "codec/atomic_file.h"
#include "codec/byte_reader.h"
#include "codec/zip.h"
#include "codec/zip_writer.h"
#include "formats/npy/npy.h"
#include "formats/output_file.h"

namespace lanthorn {
namespace {

struct Row {
  DType dtype;
  std::string_view suffix;
  int bits = 0;  // of types smaller than a byte
  bool is_signed = false;
};

constexpr std::string_view kTorchE8M0 = "__f8e8m0fnu";

constexpr Row kRows[] = {
    {DType::kBF16, "__bf16"},
    {DType::kF8E4M3FN, "__f8e4m3fn"},
    {DType::kF8E4M3FNUZ, "__f8e4m3fnuz"},
    {DType::kF8E5M2, "__f8e5m2"},
    {DType::kF8E5M2FNUZ, "__f8e5m2fnuz"},
    {DType::kF8E8M0FNU, "__f8e8m0"},
    {DType::kF8E8M0FNU, kTorchE8M0},
    {DType::kF6E2M3, "__f6e2m3", 6},
    {DType::kF6E3M2, "__f6e3m2", 6},
    {DType::kF4E2M1, "__f4e2m1", 4},
    {DType::kI4, "__i4", 4, true},
    {DType::kU4, "__u4", 4},
    {DType::kI2, "__i2", 2, true},
    {DType::kU2, "__u2", 2},
};

const Row* row_of(DType dtype) {
  for (const Row& row : kRows) {
    if (row.dtype == dtype) return &row;
  }
  return nullptr;
}

/// The tensor whose bits `array` holds. Signed types of few bits are held sign-extended.
Result<Tensor> from_bits(const Tensor& array, const Row& row) {
  if (!row.is_signed) {
    return Tensor::view(row.dtype, array.shape(), array.strides(), array.offset_bytes(),
                        array.storage());
  }
  LAN_TRY(const Tensor bits, array.contiguous());
  LAN_TRY(Tensor made, Tensor::allocate(row.dtype, array.shape()));
  const int unused = 8 - row.bits;
  const auto source = bits.as<uint8_t>();
  const auto target = made.mutable_as<int8_t>();
  for (size_t i = 0; i < source.size(); ++i) {
    target[i] = static_cast<int8_t>(static_cast<int8_t>(source[i] << unused) >> unused);
  }
  return made;
}

/// What the name and dtype of an entry of the archive say that it is.
Status add_array(StateDict& tensors, std::string name, Tensor array) {
  for (const Row& row : kRows) {
    if (!name.ends_with(row.suffix) || name.size() == row.suffix.size()) continue;
    if (array.dtype() != (row.dtype == DType::kBF16 ? DType::kU16 : DType::kU8)) continue;
    std::string shorter = name.substr(0, name.size() - row.suffix.size());
    if (tensors.find(shorter) != nullptr) break;
    LAN_TRY(Tensor meant, from_bits(array, row));
    return tensors.add(std::move(shorter), std::move(meant));
  }
  return tensors.add(std::move(name), std::move(array));
}

}  // namespace

std::string_view npz_suffix(DType dtype) {
  const Row* row = row_of(dtype);
  return row != nullptr ? row->suffix : std::string_view();
}

Result<StateDict> read_npz(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits,
                           std::vector<std::string>* notes) {
  LAN_TRY(const ZipArchive archive, ZipArchive::open(file));
  StateDict tensors;
  const uint64_t limit = inflated_limit(limits, file->bytes().size());
  uint64_t inflated = 0;
  for (const ZipEntry& entry : archive.entries()) {
    if (entry.name.ends_with('/')) continue;
    std::string name = entry.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    const std::string place = "array '" + name + "'";
    auto content = archive.read(entry, limit - inflated, /*check_crc=*/entry.method != 0);
    if (!content) return std::move(content).error().at(place);
    if (entry.method != 0) inflated += entry.bytes;
    if (!looks_like_npy(content->bytes)) {
      if (notes != nullptr)
        notes->push_back("'" + entry.name + "' is not an array and was left out");
      continue;
    }
    auto array = read_npy(content->bytes, content->owner, limits);
    if (!array && array.error().code == ErrorCode::kUnsupported && notes != nullptr) {
      notes->push_back("array '" + name + "' was left out: " + array.error().message);
      continue;
    }
    if (!array) return std::move(array).error().at(place);
    LAN_OK(add_array(tensors, std::move(name), *std::move(array)));
  }
  return tensors;
}

namespace {

/// What an array of the file consists of.
struct ArrayBytes {
  NpyFile array;
  std::string masked;  // the bits of signed numbers smaller than a byte

  std::span<const std::byte> data() const {
    return masked.empty() ? array.data() : as_bytes(masked);
  }
};

Result<ArrayBytes> array_bytes(const Tensor& tensor) {
  ArrayBytes bytes;
  LAN_TRY(bytes.array, write_npy(tensor));
  const Row* row = row_of(tensor.dtype());
  if (row != nullptr && row->is_signed) {
    bytes.masked = as_text(bytes.array.data());
    for (char& c : bytes.masked) c = static_cast<char>(c & ((1 << row->bits) - 1));
  }
  return bytes;
}

Status add_entry(ZipWriter& writer, const std::string& name, const Tensor& tensor) {
  LAN_TRY(const ArrayBytes bytes, array_bytes(tensor));
  const std::array parts = {as_bytes(bytes.array.header), bytes.data()};
  return writer.add(name + ".npy", parts);
}

/// The numbers as they are written: real for quantized tensors, cast where that is wanted. NumPy has
/// no complex number of two halves.
Result<Tensor> written_numbers(const FlatTensor& flat, const WriteOptions& options) {
  LAN_TRY(const Tensor numbers, flat.numbers());
  const DType dtype = numbers.dtype() == DType::kC32 ? DType::kC64
                                                     : written_dtype(numbers.dtype(), options);
  return dtype == numbers.dtype() ? numbers : numbers.cast(dtype);
}

/// Lets go of what was read of the files.
void finish_tensor(const FlatTensor& flat, const WriteOptions& options) {
  if (!flat.tensor.storage() || flat.tensor.dtype() == DType::kString) return;
  for (const auto& source : options.sources) source->release(flat.tensor.storage()->bytes());
  if (options.progress) options.progress(flat.tensor.byte_size());
}

}  // namespace

Status write_npz(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  LAN_TRY(AtomicFile file, AtomicFile::create(path));
  ZipWriter writer([&](std::span<const std::byte> bytes) { return file.write(bytes); });
  for (const NamedTensor& named : tensors) {
    const std::string suffix(npz_suffix(named.tensor.dtype()));
    LAN_OK(add_entry(writer, named.name + suffix, named.tensor));
  }
  LAN_OK(writer.finish());
  return file.commit();
}

Result<WriteReport> write_npz(const std::filesystem::path& path,
                              const std::vector<FlatTensor>& tensors, const WriteOptions& options) {
  LAN_TRY(OutputFile file, OutputFile::create(path, options));
  ZipWriter writer([&](std::span<const std::byte> bytes) { return file.write(bytes); });
  WriteReport report;
  size_t dequantized = 0;
  for (const FlatTensor& flat : tensors) {
    LAN_TRY(const Tensor numbers, written_numbers(flat, options));
    // ONNX and PyTorch have names of their own for this one.
    const std::string suffix(numbers.dtype() == DType::kF8E8M0FNU ? kTorchE8M0
                                                                  : npz_suffix(numbers.dtype()));
    LAN_OK(add_entry(writer, flat.name + suffix, numbers));
    finish_tensor(flat, options);
    dequantized += flat.quantizer != nullptr;
  }
  LAN_OK(writer.finish());
  report.files = {path};
  report.tensors = tensors.size();
  report.bytes = file.position();
  if (dequantized > 0) {
    report.notes.push_back(std::to_string(dequantized) +
                           " quantized tensors are written as the numbers that they stand for");
  }
  LAN_OK(file.commit());  // last: nothing may fail once the file is in its place
  return report;
}

Result<WriteReport> write_npy(const std::filesystem::path& path,
                              const std::vector<FlatTensor>& tensors, const WriteOptions& options) {
  if (tensors.size() != 1) {
    return Error{ErrorCode::kUsage,
                 "an .npy file holds one array, but there are " + std::to_string(tensors.size()),
                 "", "Choose one with --select, or write .npz."};
  }
  LAN_TRY(const Tensor numbers, written_numbers(tensors[0], options));
  LAN_TRY(const ArrayBytes bytes, array_bytes(numbers));
  LAN_TRY(OutputFile file, OutputFile::create(path, options));
  LAN_OK(file.write(as_bytes(bytes.array.header)));
  LAN_OK(file.write(bytes.data()));
  WriteReport report{{path}, 1, file.position(), {}};
  LAN_OK(file.commit());
  return report;
}

}  // namespace lanthorn
