#include "cli/tensor_facts_shared.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "codec/sha256.h"
#include "tensor/convert.h"
#include "tensor/extent.h"

namespace lanthorn {
namespace {

/// Where the elements of a tensor of the list lie.
struct Place {
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
  size_t index = 0;
};

std::optional<Place> place_of(const Tensor& tensor, size_t index) {
  if (!tensor.defined() || tensor.count() == 0 || !tensor.storage()) return std::nullopt;
  const std::byte* const bytes = tensor.storage()->bytes().data();
  const ByteExtent extent = byte_extent(tensor);
  return Place{bytes + extent.begin, bytes + extent.end, index};
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string element_text(const Tensor& tensor, int64_t index) {
  if (tensor.dtype() == DType::kString) {
    return "'" + tensor.as<std::string>()[static_cast<size_t>(index)].substr(0, 40) + "'";
  }
  const size_t unit = dtype_bytes(tensor.dtype());
  const std::byte* const at = tensor.data() + index * static_cast<int64_t>(unit);
  double parts[2] = {};
  if (is_complex(tensor.dtype())) {
    convert(tensor.dtype(), at, DType::kC128, parts, 1);
    return number_text(parts[0]) + (parts[1] < 0 ? "" : "+") + number_text(parts[1]) + "j";
  }
  if (tensor.dtype() == DType::kBool) return *at != std::byte{0} ? "True" : "False";
  if (can_convert(tensor.dtype(), DType::kF64)) {
    if (is_integer(tensor.dtype()) && tensor.dtype() != DType::kU64) {
      int64_t whole = 0;
      convert(tensor.dtype(), at, DType::kI64, &whole, 1);
      return std::to_string(whole);
    }
    convert(tensor.dtype(), at, DType::kF64, parts, 1);
    return number_text(parts[0]);
  }
  std::string bits = "0x";
  for (size_t i = unit; i-- > 0;) {
    const auto byte = std::to_integer<unsigned>(at[i]);
    (bits += "0123456789abcdef"[byte >> 4]) += "0123456789abcdef"[byte & 15];
  }
  return bits;
}

void print_axis(const Tensor& tensor, size_t axis, int64_t index, std::string& text) {
  constexpr int64_t kEnds = 3, kWhole = 8;
  if (axis == tensor.rank()) {
    text += element_text(tensor, index);
    return;
  }
  const int64_t size = tensor.shape()[axis];
  const bool last = axis + 1 == tensor.rank();
  text += "[";
  for (int64_t i = 0; i < size; ++i) {
    if (i > 0) text += last ? ", " : ",\n" + std::string(axis + 1, ' ');
    if (size > kWhole && i == kEnds) {
      text += "...";
      i = size - kEnds - 1;
      continue;
    }
    print_axis(tensor, axis + 1, index + i * tensor.strides()[axis], text);
  }
  text += "]";
}

}  // namespace

Result<std::string> tensor_digest(const Tensor& tensor, Progress* progress) {
  if (!tensor.defined() || tensor.dtype() == DType::kString) return std::string();
  LAN_TRY(const Tensor straight, tensor.contiguous());
  constexpr size_t kPiece = size_t{1} << 20;
  Sha256 digest;
  for (auto rest = straight.bytes(); !rest.empty();) {
    const auto piece = rest.first(std::min(kPiece, rest.size()));
    digest.add(piece);
    rest = rest.subspan(piece.size());
    if (progress) progress->advance(piece.size());
  }
  return digest.hex();
}

std::vector<std::vector<std::string>> tied_names(const StateDict& tensors) {
  std::vector<Place> places;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (const auto place = place_of(tensors.entries()[i].tensor, i)) places.push_back(*place);
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.index < b.index;
  });
  std::vector<std::vector<size_t>> groups;
  const std::byte* end = nullptr;
  for (const Place& place : places) {
    if (groups.empty() || place.begin >= end) {
      groups.emplace_back();
      end = place.end;
    }
    groups.back().push_back(place.index);
    end = std::max(end, place.end);
  }
  std::erase_if(groups, [](const std::vector<size_t>& group) { return group.size() < 2; });
  for (std::vector<size_t>& group : groups) std::sort(group.begin(), group.end());
  std::sort(groups.begin(), groups.end());
  std::vector<std::vector<std::string>> names;
  for (const std::vector<size_t>& group : groups) {
    names.emplace_back();
    for (const size_t index : group) names.back().push_back(tensors.entries()[index].name);
  }
  return names;
}

uint64_t total_bytes(const StateDict& tensors) {
  uint64_t bytes = 0;
  for (const NamedTensor& entry : tensors.entries()) bytes += entry.tensor.byte_size();
  return bytes;
}

std::string statistics_text(const TensorStatistics& statistics) {
  std::string text;
  if (statistics.has_range) {
    text = "min " + number_text(statistics.minimum) + ", max " + number_text(statistics.maximum) +
           ", mean " + number_text(statistics.mean);
  }
  for (const auto& [count, what] : {std::pair(statistics.nan_count, " NaN"),
                                    std::pair(statistics.infinity_count, " infinite")}) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + what;
  }
  return text;
}

std::string quantizer_text(const Quantizer& quantizer) {
  if (quantizer.scales.count() != 1) {
    return std::to_string(quantizer.scales.count()) + " scales along dimension " +
           std::to_string(quantizer.axis);
  }
  const auto scales = quantizer.scales.to_doubles();
  const auto zero_points = quantizer.zero_points.to_doubles();
  if (!scales || !zero_points || zero_points->empty()) return {};
  return "scale " + number_text(scales->front()) + ", zero point " +
         number_text(zero_points->front());
}

std::string values_text(const Tensor& tensor) {
  const auto straight = tensor.contiguous();
  if (!straight || !straight->defined()) return {};
  std::string text;
  print_axis(*straight, 0, 0, text);
  return text;
}

}  // namespace lanthorn
