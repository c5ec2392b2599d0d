// The common request, read in one pass: {"data": [[1.5, 2], ...], "output": true}. Whatever is unusual
// makes it give up, and the careful reader decides.

#include <charconv>
#include <cstring>

#include "serve/array_schema.h"

namespace lanthorn {
namespace {

class PlainReader {
 public:
  PlainReader(std::string_view text, const ArraySchema& schema) : at_(text.data()), end_(at_ + text.size()), schema_(schema) {}

  bool request(Tensor& data, bool& wants_output) {
    bool has_data = false, has_output = false;
    if (!take('{')) return false;
    do {
      space();
      if (word("\"data\"")) {
        if (has_data || !take(':')) return false;
        space();
        if (!array(0) || !rectangular()) return false;
        has_data = true;
      } else if (word("\"output\"")) {
        if (has_output || !take(':')) return false;
        space();
        wants_output = word("true");
        if (!wants_output && !word("false")) return false;
        has_output = true;
      } else {
        return false;
      }
    } while (take(','));
    if (!take('}')) return false;
    space();
    return at_ == end_ && has_data && finish(data);
  }

 private:
  void space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool take(char c) {
    space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view text) {
    if (static_cast<size_t>(end_ - at_) < text.size() || std::memcmp(at_, text.data(), text.size()) != 0) return false;
    at_ += text.size();
    return true;
  }

  /// A number as JSON has it; from_chars alone would take more ("1.", "inf").
  bool number() {
    const char* p = at_;
    if (p != end_ && *p == '-') ++p;
    const char* digits = p;
    while (p != end_ && *p >= '0' && *p <= '9') ++p;
    if (p == digits || (*digits == '0' && p - digits > 1)) return false;
    if (p != end_ && *p == '.') {
      const char* fraction = ++p;
      while (p != end_ && *p >= '0' && *p <= '9') ++p;
      if (p == fraction) return false;
    }
    if (p != end_ && (*p == 'e' || *p == 'E')) {
      ++p;
      if (p != end_ && (*p == '+' || *p == '-')) ++p;
      const char* exponent = p;
      while (p != end_ && *p >= '0' && *p <= '9') ++p;
      if (p == exponent) return false;
    }
    double value = 0;
    const auto [stop, error] = std::from_chars(at_, p, value);
    if (error != std::errc() || stop != p) return false;
    values_.push_back(static_cast<float>(value));
    at_ = p;
    return true;
  }

  bool array(size_t depth) {
    if (depth == schema_.sizes.size()) return number();
    if (!take('[')) return false;
    int64_t count = 0;
    do {
      space();
      if (!array(depth + 1)) return false;
      ++count;
    } while (take(','));
    if (!take(']')) return false;
    if (shape_.size() <= depth) shape_.resize(depth + 1, -1);
    if (shape_[depth] < 0) shape_[depth] = count;
    const int64_t wanted = schema_.sizes[depth];
    return shape_[depth] == count && (wanted < 0 || wanted == count);
  }

  bool rectangular() const { return shape_.size() == schema_.sizes.size(); }

  bool finish(Tensor& data) {
    auto tensor = Tensor::allocate(DType::kF32, shape_);
    if (!tensor || tensor->count() != static_cast<int64_t>(values_.size())) return false;
    std::memcpy(tensor->mutable_data(), values_.data(), values_.size() * sizeof(float));
    data = *std::move(tensor);
    return true;
  }

  const char* at_;
  const char* end_;
  const ArraySchema& schema_;
  std::vector<float> values_;
  Shape shape_;
};

}  // namespace

bool read_plain_request(std::string_view text, const ArraySchema& schema, Tensor& data, bool& wants_output) {
  if (schema.dtype != DType::kF32 || !schema.has_shape || schema.sizes.empty()) return false;
  return PlainReader(text, schema).request(data, wants_output);
}

}  // namespace lanthorn
