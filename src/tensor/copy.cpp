#include "tensor/copy.h"

#include <cstring>
#include <string>
#include <vector>

namespace lanthorn {
namespace {

struct Axis {
  int64_t size, source, target;  // strides in elements
};

// Without axes of one element, and with those merged that are walked like one.
std::vector<Axis> merged_axes(std::span<const int64_t> shape,
                              std::span<const int64_t> source_strides,
                              std::span<const int64_t> target_strides) {
  std::vector<Axis> axes;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    const Axis axis{shape[i], source_strides[i], target_strides[i]};
    if (!axes.empty() && axes.back().source == axis.source * axis.size &&
        axes.back().target == axis.target * axis.size) {
      axes.back() = {axes.back().size * axis.size, axis.source, axis.target};
    } else {
      axes.push_back(axis);
    }
  }
  return axes;
}

template <class T>
void copy_row(const std::byte* source, std::byte* target, const Axis& row) {
  for (int64_t i = 0; i < row.size; ++i) {
    std::memcpy(target + i * row.target * static_cast<int64_t>(sizeof(T)),
                source + i * row.source * static_cast<int64_t>(sizeof(T)), sizeof(T));
  }
}

struct Bytes16 {
  uint64_t low, high;
};

void copy_row(DType dtype, const std::byte* source, std::byte* target, const Axis& row) {
  if (row.source == 1 && row.target == 1) {
    return copy_elements(dtype, source, target, static_cast<size_t>(row.size));
  }
  if (dtype == DType::kString) {
    const auto* from = reinterpret_cast<const std::string*>(source);
    auto* to = reinterpret_cast<std::string*>(target);
    for (int64_t i = 0; i < row.size; ++i) to[i * row.target] = from[i * row.source];
    return;
  }
  switch (dtype_bytes(dtype)) {
    case 1:
      return copy_row<uint8_t>(source, target, row);
    case 2:
      return copy_row<uint16_t>(source, target, row);
    case 4:
      return copy_row<uint32_t>(source, target, row);
    case 8:
      return copy_row<uint64_t>(source, target, row);
    default:
      return copy_row<Bytes16>(source, target, row);
  }
}

}  // namespace

void copy_elements(DType dtype, const void* source, void* target, size_t count) {
  if (dtype != DType::kString) {
    if (count > 0) std::memcpy(target, source, count * dtype_bytes(dtype));
    return;
  }
  const auto* from = static_cast<const std::string*>(source);
  for (size_t i = 0; i < count; ++i) static_cast<std::string*>(target)[i] = from[i];
}

void clear_elements(DType dtype, void* target, size_t count) {
  if (dtype != DType::kString) {
    if (count > 0) std::memset(target, 0, count * dtype_bytes(dtype));
    return;
  }
  for (size_t i = 0; i < count; ++i) static_cast<std::string*>(target)[i].clear();
}

void copy_strided(DType dtype, std::span<const int64_t> shape, const void* source,
                  std::span<const int64_t> source_strides, void* target,
                  std::span<const int64_t> target_strides) {
  for (const int64_t size : shape) {
    if (size == 0) return;
  }
  std::vector<Axis> axes = merged_axes(shape, source_strides, target_strides);
  const Axis row = axes.empty() ? Axis{1, 1, 1} : axes.back();
  if (!axes.empty()) axes.pop_back();
  const auto* from = static_cast<const std::byte*>(source);
  auto* to = static_cast<std::byte*>(target);
  std::vector<int64_t> index(axes.size(), 0);
  int64_t from_at = 0, to_at = 0;
  for (bool more = true; more;) {
    copy_row(dtype, element_at(dtype, from, from_at), element_at(dtype, to, to_at), row);
    more = false;
    for (size_t axis = axes.size(); axis-- > 0 && !more;) {
      from_at += axes[axis].source;
      to_at += axes[axis].target;
      more = ++index[axis] < axes[axis].size;
      if (more) break;
      from_at -= axes[axis].source * axes[axis].size;
      to_at -= axes[axis].target * axes[axis].size;
      index[axis] = 0;
    }
  }
}

}  // namespace lanthorn
