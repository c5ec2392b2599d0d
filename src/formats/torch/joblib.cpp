#include "formats/torch/joblib.h"

#include <charconv>
#include <string>
#include <string_view>

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

/// The value of a text key in a dict, or nothing.
PickleId value_of(const PickleTree& tree, const PickleNode& dict, std::string_view key) {
  for (size_t i = 0; i + 1 < dict.entries.size(); i += 2) {
    const PickleNode& name = tree[dict.entries[i]];
    if (name.kind == Kind::kString && name.text == key) return dict.entries[i + 1];
  }
  return kNoPickle;
}

/// 'f8', '<U7', '|O' of numpy.dtype('f8', ...); empty for what is no dtype.
std::string_view dtype_code(const PickleTree& tree, PickleId dtype) {
  if (tree[dtype].kind != Kind::kCall || tree[dtype].arguments == kNoPickle) return {};
  const auto& arguments = tree[tree[dtype].arguments].items;
  if (arguments.empty() || tree[arguments[0]].kind != Kind::kString) return {};
  return tree[arguments[0]].text;
}

/// Bytes of the elements; nothing where they are no numbers or text, or too many.
std::optional<uint64_t> element_bytes(const PickleTree& tree, const JoblibArray& array) {
  const std::string_view code = dtype_code(tree, array.dtype);
  const size_t digits = code.find_first_of("0123456789");
  if (digits == code.npos || array.objects) return std::nullopt;
  uint64_t bytes = 0;
  std::from_chars(code.data() + digits, code.data() + code.size(), bytes);
  if (code.find('U') != code.npos && __builtin_mul_overflow(bytes, uint64_t{4}, &bytes)) {
    return std::nullopt;
  }
  for (const PickleId item : tree[array.shape].items) {
    const int64_t size = tree[item].kind == Kind::kInt ? tree[item].integer : -1;
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) {
      return std::nullopt;
    }
  }
  return bytes;
}

}  // namespace

std::optional<JoblibArray> joblib_array(const PickleTree& tree, PickleId call,
                                        std::span<const std::byte> rest) {
  const PickleNode& node = tree[call];
  if (node.kind != Kind::kCall || node.callee == kNoPickle) return std::nullopt;
  if (tree[node.callee].kind != Kind::kGlobal || node.states.empty()) return std::nullopt;
  if (!tree[node.callee].text.ends_with("numpy_pickle.NumpyArrayWrapper")) return std::nullopt;
  const PickleNode& state = tree[node.states.back()];
  JoblibArray array;
  array.shape = value_of(tree, state, "shape");
  array.dtype = value_of(tree, state, "dtype");
  if (array.shape == kNoPickle || array.dtype == kNoPickle) return std::nullopt;
  const std::string_view code = dtype_code(tree, array.dtype);
  if (code.empty()) return std::nullopt;
  array.objects = code.find('O') != code.npos;
  const PickleId order = value_of(tree, state, "order");
  array.fortran = order != kNoPickle && tree[order].text == "F";
  const PickleId alignment = value_of(tree, state, "numpy_array_alignment_bytes");
  if (alignment != kNoPickle && tree[alignment].kind == Kind::kInt && !rest.empty()) {
    array.padding = 1 + static_cast<uint64_t>(rest[0]);
  }
  return array;
}

uint64_t joblib_bytes(const PickleTree& tree, PickleId built, std::span<const std::byte> rest) {
  const auto array = joblib_array(tree, built, rest);
  const auto bytes = array ? element_bytes(tree, *array) : std::nullopt;
  if (!bytes || array->padding > rest.size() || *bytes > rest.size() - array->padding) return 0;
  return array->padding + *bytes;
}

}  // namespace lanthorn
