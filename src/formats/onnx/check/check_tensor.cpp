// TensorProto and SparseTensorProto.

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/checked.h"
#include "codec/inner_path.h"
#include "formats/onnx/check/checker.h"

namespace lanthorn::onnx {
namespace {

// The typed fields of a TensorProto, in words and by how much they hold.
enum class Field : uint8_t { kNone, kFloat, kInt32, kString, kInt64, kRaw, kDouble, kUint64 };
constexpr std::array<std::string_view, 8> kFieldNames = {
    "",           "float_data", "int32_data",  "string_data",
    "int64_data", "raw_data",   "double_data", "uint64_data"};

struct Layout {
  Field field = Field::kNone;  // where the values belong if they are not raw
  uint64_t raw_bits = 0;       // of one element; 0 for strings
  uint64_t numbers = 1;        // in the field for one element
  uint64_t packed = 1;         // elements in one number of the field
};

std::optional<Layout> layout_of(int32_t data_type) {
  using enum DataType;
  switch (static_cast<DataType>(data_type)) {
    case kFloat:
      return Layout{Field::kFloat, 32};
    case kComplex64:
      return Layout{Field::kFloat, 64, 2};
    case kDouble:
      return Layout{Field::kDouble, 64};
    case kComplex128:
      return Layout{Field::kDouble, 128, 2};
    case kInt32:
      return Layout{Field::kInt32, 32};
    case kInt16:
    case kUint16:
    case kFloat16:
    case kBfloat16:
      return Layout{Field::kInt32, 16};
    case kInt8:
    case kUint8:
    case kBool:
    case kFloat8E4M3FN:
    case kFloat8E4M3FNUZ:
    case kFloat8E5M2:
    case kFloat8E5M2FNUZ:
    case kFloat8E8M0:
      return Layout{Field::kInt32, 8};
    case kInt4:
    case kUint4:
    case kFloat4E2M1:
      return Layout{Field::kInt32, 4, 1, 2};
    case kInt2:
    case kUint2:
      return Layout{Field::kInt32, 2, 1, 4};
    case kInt64:
      return Layout{Field::kInt64, 64};
    case kUint32:
      return Layout{Field::kUint64, 32};
    case kUint64:
      return Layout{Field::kUint64, 64};
    case kString:
      return Layout{Field::kString, 0};
    case kUndefined:
      break;
  }
  return std::nullopt;
}

uint64_t size_of(const TensorProto& tensor, Field field) {
  switch (field) {
    case Field::kFloat:
      return tensor.floats.size();
    case Field::kInt32:
      return tensor.int32s.size();
    case Field::kString:
      return tensor.strings.size();
    case Field::kInt64:
      return tensor.int64s.size();
    case Field::kRaw:
      return tensor.raw ? tensor.raw->size() : 0;
    case Field::kDouble:
      return tensor.doubles.size();
    case Field::kUint64:
      return tensor.uint64s.size();
    case Field::kNone:
      break;
  }
  return 0;
}

// A whole number of bytes in an external_data entry; nothing if it is none.
std::optional<uint64_t> bytes_of(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void Checker::check_external(const TensorProto& tensor) {
  const std::string name(tensor.name);
  const auto wrong = [&](std::string what) { add(std::move(what), name, tensor.offset); };
  std::optional<std::string_view> location;
  uint64_t begin = 0;
  std::optional<uint64_t> length;
  for (const auto& [key, value] : tensor.external_data) {
    if (key == "location") location = value;
    if (key != "offset" && key != "length") continue;
    const auto bytes = bytes_of(value);
    if (!bytes)
      wrong("external data has " + std::string(key) + " '" + std::string(value) +
            "', which is no size");
    else if (key == "offset")
      begin = *bytes;
    else
      length = *bytes;
  }
  if (!location) return wrong("the data is external, but has no location");
  if (location->empty()) return wrong("the location of external data is empty");
  const std::string quoted = "'" + std::string(*location) + "'";
  if (!stays_in_folder(*location)) {
    return wrong("external data at " + quoted + " is outside the model's folder");
  }
  if (file_->path().empty()) return;
  std::error_code failed;
  const auto folder =
      std::filesystem::canonical(std::filesystem::absolute(file_->path()).parent_path(), failed);
  const auto data = folder / std::filesystem::path(*location);
  const auto status = std::filesystem::symlink_status(data, failed);
  if (!std::filesystem::exists(status))
    return wrong("external data file " + quoted + " does not exist");
  if (std::filesystem::is_symlink(status))
    return wrong("external data file " + quoted + " is a link");
  if (!std::filesystem::is_regular_file(status))
    return wrong("external data at " + quoted + " is no file");
  const auto real = std::filesystem::canonical(data, failed);
  if (failed || !lies_below(real, folder)) {
    return wrong("external data at " + quoted + " is outside the model's folder");
  }
  if (std::filesystem::hard_link_count(data, failed) > 1) {
    return wrong("external data file " + quoted + " has more than one name (a hard link)");
  }
  const uint64_t size = std::filesystem::file_size(data, failed);
  const std::optional<Layout> layout = layout_of(tensor.data_type);
  const auto elements = checked_product(tensor.dims, 1);
  if (!layout || !elements) return;
  const auto bits = checked_product(tensor.dims, layout->raw_bits);
  if (!bits) return wrong("the dims are impossible");
  const uint64_t needed = *bits / 8 + (*bits % 8 != 0);
  if (length && *length != needed) {
    wrong("external data has " + std::to_string(*length) + " bytes, but the dims make " +
          std::to_string(needed));
  } else if (begin > size || needed > size - begin) {
    wrong("external data takes " + std::to_string(needed) + " bytes at " + std::to_string(begin) +
          " of " + quoted + ", which has " + std::to_string(size));
  }
}

void Checker::check_tensor(const TensorProto& tensor) {
  const std::string name(tensor.name);
  const auto wrong = [&](std::string what) { add(std::move(what), name, tensor.offset); };
  const std::optional<Layout> layout = layout_of(tensor.data_type);
  if (!layout) return wrong("there is no data type " + std::to_string(tensor.data_type));
  Field used = Field::kNone;
  size_t fields = 0;
  for (size_t i = 1; i < kFieldNames.size(); ++i) {
    if (size_of(tensor, static_cast<Field>(i)) == 0) continue;
    used = static_cast<Field>(i);
    ++fields;
  }
  for (const int64_t size : tensor.dims) {
    if (size < 0) return wrong("a dimension is " + std::to_string(size));
  }
  if (tensor.external) {
    if (fields > 0)
      wrong("the data is external, but there is " +
            std::string(kFieldNames[static_cast<size_t>(used)]));
    return check_external(tensor);
  }
  // The product is not to overflow even where another dimension is 0.
  uint64_t product = 1;
  bool empty = false;
  for (const int64_t size : tensor.dims) {
    empty = empty || size == 0;
    if (size > 1 && product > static_cast<uint64_t>(INT64_MAX) / static_cast<uint64_t>(size)) {
      return wrong("the product of the dims is too large");
    }
    product *= static_cast<uint64_t>(std::max<int64_t>(size, 1));
  }
  const uint64_t count = empty ? 0 : product;
  if (tensor.segmented) return wrong("the tensor is in segments");
  if (count == 0 && fields > 0) return wrong("the tensor has no elements, but contains data");
  if (count == 0) return;
  if (fields != 1) {
    return wrong(fields == 0 ? "the tensor has no data"
                             : "the tensor has data in more than one field");
  }
  if (used == Field::kRaw) {
    if (layout->field == Field::kString) return wrong("strings are stored in raw_data");
    const uint64_t bytes = tensor.raw->size();
    const bool fits = count <= UINT64_MAX / 128;
    const uint64_t bits = fits ? count * layout->raw_bits : 0;
    const uint64_t needed = bits / 8 + (bits % 8 != 0);
    if (!fits || bytes != needed) {
      wrong("raw_data has " + std::to_string(bytes) + " bytes, but the dims make " +
            std::to_string(needed));
    }
    return;
  }
  const std::string_view where = kFieldNames[static_cast<size_t>(used)];
  if (used != layout->field) {
    return wrong("the values are in " + std::string(where) + ", but of this type they belong in " +
                 std::string(kFieldNames[static_cast<size_t>(layout->field)]));
  }
  // How sub-byte types are packed in int32_data, writers do not agree on: a byte or four in a
  // number.
  const uint64_t have = size_of(tensor, used);
  const uint64_t needed = layout->packed > 1
                              ? (count + 4 * layout->packed - 1) / (4 * layout->packed)
                              : count * layout->numbers;
  const bool fits = layout->packed > 1 ? have >= needed : have == needed;
  if (!fits) {
    wrong(std::string(where) + " has " + std::to_string(have) + " numbers, but the dims make " +
          std::to_string(needed));
  }
}

void Checker::check_sparse(const SparseTensorProto& sparse) {
  if (!sparse.values) return add("a sparse tensor has no values");
  const TensorProto& values = *sparse.values;
  const std::string name(values.name);
  const auto wrong = [&](std::string what) { add(std::move(what), name, values.offset); };
  const size_t before = findings.size();
  check_tensor(values);
  if (values.dims.size() != 1) return wrong("the values of a sparse tensor must be of rank 1");
  if (sparse.dims.empty()) return wrong("a sparse tensor must have a rank above 0");
  for (const int64_t size : sparse.dims) {
    if (size <= 0) return wrong("the dims of a sparse tensor must be positive");
  }
  const auto count = static_cast<uint64_t>(values.dims[0]);
  if (!sparse.indices) {
    if (count > 0) wrong("a sparse tensor has no indices");
    return;
  }
  const TensorProto& indices = *sparse.indices;
  check_tensor(indices);
  if (findings.size() > before) return;
  if (indices.data_type != static_cast<int32_t>(DataType::kInt64))
    return wrong("the indices must be int64");
  const size_t rank = sparse.dims.size();
  const bool linear = indices.dims.size() == 1;
  if (!linear && indices.dims.size() != 2) return wrong("the indices must be of rank 1 or 2");
  if (static_cast<uint64_t>(indices.dims[0]) != count ||
      (!linear && static_cast<size_t>(indices.dims[1]) != rank)) {
    return wrong("the indices do not fit the values");
  }
  std::vector<int64_t> numbers;
  if (indices.raw) {
    for (size_t at = 0; at + 8 <= indices.raw->size(); at += 8) {
      uint64_t value = 0;
      for (size_t i = 0; i < 8; ++i)
        value |= uint64_t{static_cast<uint8_t>((*indices.raw)[at + i])} << (8 * i);
      numbers.push_back(static_cast<int64_t>(value));
    }
  } else {
    indices.int64s.for_each(
        [&](uint64_t value) { numbers.push_back(static_cast<int64_t>(value)); });
  }
  if (numbers.size() != count * (linear ? 1 : rank)) return;  // external, or told already
  const auto size = checked_product(sparse.dims, 1);
  if (!size) return wrong("the dims of a sparse tensor are impossible");
  int64_t last = -1;
  for (uint64_t i = 0; i < count; ++i) {
    int64_t place = linear ? numbers[i] : 0;
    bool inside = place >= 0 && static_cast<uint64_t>(place) < *size;
    for (size_t axis = 0; axis < rank && !linear && inside; ++axis) {
      const int64_t index = numbers[i * rank + axis];
      inside = index >= 0 && index < sparse.dims[axis];
      place = place * sparse.dims[axis] + index;
    }
    if (!inside) return wrong("index " + std::to_string(i) + " of a sparse tensor is out of range");
    if (place <= last)
      return wrong("index " + std::to_string(i) + " of a sparse tensor is not in order");
    last = place;
  }
}

}  // namespace lanthorn::onnx
