#include "formats/npy/npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "base/checked.h"
#include "base/utf8.h"
#include "codec/byte_reader.h"
#include "formats/npy/npy_header.h"

namespace lanthorn {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kMaxHeader = uint64_t{1} << 20;

Error unsupported(const std::string& descr) {
  constexpr size_t kMostShown = 200;
  const bool object = descr == "O" || descr.find("|O") != std::string::npos;
  return Error{ErrorCode::kUnsupported,
               object ? "the array holds Python objects, which only running a pickle could make"
                      : "arrays of NumPy's dtype " + descr.substr(0, kMostShown) + " cannot be read",
               "", object ? "Save it as an array of numbers." : ""};
}

/// Reverses the bytes of each number of `unit` bytes.
void swap_bytes(std::span<std::byte> bytes, size_t unit) {
  for (size_t i = 0; i < bytes.size(); i += unit) {
    std::reverse(bytes.begin() + static_cast<ptrdiff_t>(i),
                 bytes.begin() + static_cast<ptrdiff_t>(i + unit));
  }
}

/// Strings of fixed width, padded with zeros: 'S' of bytes, 'U' of code points.
Result<Tensor> read_strings(const NpyHeader& header, std::span<const std::byte> data,
                            const ReadLimits& limits) {
  const size_t unit = header.kind == 'U' ? 4 : 1;
  const auto count = checked_product(header.shape, 1);
  const auto total = checked_product(header.shape, std::max<uint64_t>(header.width, 1) * unit);
  if (!count || !total) return Error{ErrorCode::kCorrupt, "the shape has no size"};
  const uint64_t bytes_each = header.width * unit;
  if (*count * bytes_each > data.size()) {
    return Error{ErrorCode::kCorrupt, "the strings take " + std::to_string(*count * bytes_each) +
                                          " bytes, but there are " + std::to_string(data.size())};
  }
  if (*count * sizeof(std::string) + *total > limits.max_memory_bytes) {
    return Error{ErrorCode::kLimit, std::to_string(*count) + " strings need too much memory"};
  }
  std::vector<std::string> values(*count);
  for (uint64_t i = 0; i < *count; ++i) {
    const auto element = data.subspan(i * bytes_each, bytes_each);
    std::string& text = values[i];
    if (unit == 1) {
      text = as_text(element);
      text.erase(text.find_last_not_of('\0') + 1);
      if (!is_utf8(text))
        return Error{ErrorCode::kUnsupported, "the array holds bytes that are no text"};
      continue;
    }
    for (size_t k = 0; k < header.width; ++k) {
      auto point = load_little<uint32_t>(element.data() + 4 * k);
      if (header.big_endian) point = __builtin_bswap32(point);
      if (point > 0x10ffff)
        return Error{ErrorCode::kCorrupt, "a string has a code point that does not exist"};
      append_utf8(text, point);
    }
    text.erase(text.find_last_not_of('\0') + 1);
  }
  if (!header.fortran_order || header.shape.size() < 2) {
    return Tensor::of_strings(header.shape, std::move(values));
  }
  Shape reversed(header.shape.rbegin(), header.shape.rend());
  const Tensor flat = Tensor::of_strings(reversed, std::move(values));
  Shape strides = flat.strides();
  std::reverse(strides.begin(), strides.end());
  LAN_TRY(const Tensor turned,
          Tensor::view(DType::kString, header.shape, strides, 0, flat.storage()));
  return turned.contiguous();
}

}  // namespace

bool looks_like_npy(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && as_text(bytes.first(kMagic.size())) == kMagic;
}

Result<Tensor> read_npy(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                        const ReadLimits& limits) {
  if (!looks_like_npy(bytes)) return Error{ErrorCode::kCorrupt, "this is not a NumPy array"};
  ByteReader reader(bytes);
  LAN_OK(reader.skip(kMagic.size()));
  LAN_TRY(const auto version, reader.number<uint16_t>());
  uint32_t header_bytes = 0;
  if ((version & 0xff) == 1) {
    LAN_TRY(header_bytes, reader.number<uint16_t>());
  } else if ((version & 0xff) == 2 || (version & 0xff) == 3) {
    LAN_TRY(header_bytes, reader.number<uint32_t>());
  } else {
    return Error{ErrorCode::kCorrupt,
                 "version " + std::to_string(version & 0xff) + " of NumPy's format does not exist"};
  }
  if (header_bytes > kMaxHeader) {
    return Error{ErrorCode::kLimit, "the header has " + std::to_string(header_bytes) + " bytes"};
  }
  LAN_TRY(const auto text, reader.take(header_bytes));
  LAN_TRY(const NpyHeader header, parse_npy_header(as_text(text)));
  const auto data = bytes.subspan(reader.position());
  if (header.kind == 'U' || header.kind == 'S') return read_strings(header, data, limits);
  if (header.dtype == DType::kUndefined) return unsupported(header.descr);
  const auto size = checked_product(header.shape, dtype_bytes(header.dtype));
  if (!size || *size > data.size()) {
    return Error{ErrorCode::kCorrupt,
                 std::string(dtype_name(header.dtype)) + shape_text(header.shape) +
                     (size ? " takes " + std::to_string(*size) + " bytes, but there are " +
                                 std::to_string(data.size())
                           : " has no size that can be held"),
                 "byte " + std::to_string(reader.position())};
  }
  std::shared_ptr<const Storage> storage = Storage::wrap(data.first(*size), std::move(owner));
  if (header.big_endian && *size > 0) {
    LAN_TRY(const auto swapped, Storage::allocate(*size));
    std::memcpy(swapped->mutable_bytes().data(), data.data(), *size);
    const size_t halves = is_complex(header.dtype) ? 2 : 1;
    swap_bytes(swapped->mutable_bytes(), dtype_bytes(header.dtype) / halves);
    storage = swapped;
  }
  Shape strides = contiguous_strides(header.shape);
  if (header.fortran_order) {
    const Shape reversed(header.shape.rbegin(), header.shape.rend());
    strides = contiguous_strides(reversed);
    std::reverse(strides.begin(), strides.end());
  }
  return Tensor::view(header.dtype, header.shape, std::move(strides), 0, std::move(storage));
}

std::span<const std::byte> NpyFile::data() const {
  return tensor.dtype() == DType::kString ? as_bytes(text) : tensor.bytes();
}

Result<NpyFile> write_npy(const Tensor& tensor) {
  NpyFile file;
  LAN_TRY(file.tensor, tensor.contiguous());
  std::string descr(npy_descr(tensor.dtype()));
  if (tensor.dtype() == DType::kString) {
    // NumPy's strings have one width: that of the longest, in code points.
    const auto values = file.tensor.as<std::string>();
    size_t width = 1;
    const auto leads = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    for (const std::string& value : values) {
      width =
          std::max(width, static_cast<size_t>(std::count_if(value.begin(), value.end(), leads)));
    }
    descr = "<U" + std::to_string(width);
    file.text.assign(values.size() * width * 4, '\0');
    for (size_t i = 0; i < values.size(); ++i) {
      const auto points = code_points(values[i]);
      if (!points.empty())
        std::memcpy(file.text.data() + i * width * 4, points.data(), points.size() * 4);
    }
  }
  std::string shape;
  for (const int64_t dim : tensor.shape()) shape += std::to_string(dim) + ", ";
  if (tensor.rank() > 1) shape.resize(shape.size() - 2);
  if (tensor.rank() == 1) shape.resize(shape.size() - 1);
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // The header is padded so that the data begins at a multiple of 64.
  header.append(63 - (header.size() + 10) % 64, ' ');
  header += '\n';
  LAN_CHECK(header.size() <= UINT16_MAX);
  file.header = std::string(kMagic) + std::string("\x01\x00", 2);
  file.header += static_cast<char>(header.size() & 0xff);
  file.header += static_cast<char>(header.size() >> 8);
  file.header += header;
  return file;
}

}  // namespace lanthorn
