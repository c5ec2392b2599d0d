#include "formats/safetensors/header.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace lanthorn {
namespace {

constexpr size_t kMaxEntries = 1'000'000, kMaxRank = 64;
constexpr int kMaxDepth = 64;

/// Takes the header apart as it is read, so that no tree of foreign size is ever built.
class Handler {
 public:
  bool Null() {
    if (depth_ == 1 && in_metadata_) {
      in_metadata_ = false;
      return true;
    }
    return value();
  }
  bool Bool(bool) { return value(); }
  bool Int(int number) { return integer(number, number >= 0); }
  bool Uint(unsigned number) { return integer(number, true); }
  bool Int64(int64_t number) { return integer(static_cast<uint64_t>(number), number >= 0); }
  bool Uint64(uint64_t number) { return integer(number, true); }
  bool Double(double) { return value(); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return fail("a number cannot be read"); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 2 && in_metadata_) {
      header.metadata.emplace_back(field_, std::string(text, size));
      return true;
    }
    if (depth_ == 2 && field_ == "dtype") {
      entry().dtype.assign(text, size);
      seen_ |= kDType;
      return true;
    }
    return value();
  }
  bool StartObject() {
    if (++depth_ > kMaxDepth) return fail("the header is nested too deep");
    if (depth_ == 1) return true;
    if (depth_ == 2) {
      if (in_metadata_) return true;
      if (header.entries.size() >= kMaxEntries) {
        too_many = true;
        return fail("the header has more than a million tensors");
      }
      header.entries.push_back({name_, {}, {}, 0, 0});
      seen_ = 0;
      offsets_ = 0;
      return true;
    }
    return known_field() ? wrong() : true;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 1) {
      name_.assign(text, size);
      in_metadata_ = name_ == "__metadata__";
    } else if (depth_ == 2) {
      field_.assign(text, size);
      const unsigned bit = field_bit();
      if (!in_metadata_ && bit != 0 && (seen_ & bit) != 0)
        return fail("'" + field_ + "' comes twice");
    }
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    if (depth_ == 2 && !in_metadata_ && seen_ != (kDType | kShape | kOffsets)) {
      return fail("'dtype', 'shape' and 'data_offsets' are expected");
    }
    if (--depth_ == 1) in_metadata_ = false;
    return true;
  }
  bool StartArray() {
    if (++depth_ > kMaxDepth) return fail("the header is nested too deep");
    if (depth_ == 3 && !in_metadata_ && (field_ == "shape" || field_ == "data_offsets")) {
      seen_ |= field_bit();
      return true;
    }
    return depth_ <= 2 || in_metadata_ || known_field() ? wrong() : true;
  }
  bool EndArray(rapidjson::SizeType) {
    if (depth_ == 3 && field_ == "data_offsets" && offsets_ != 2)
      return fail("'data_offsets' are not two numbers");
    --depth_;
    return true;
  }

  SafetensorsHeader header;
  std::string problem;
  bool too_many = false;
  std::string place() const { return name_.empty() ? "header" : "tensor '" + name_ + "'"; }

 private:
  static constexpr unsigned kDType = 1, kShape = 2, kOffsets = 4;

  SafetensorsEntry& entry() { return header.entries.back(); }
  unsigned field_bit() const {
    return field_ == "dtype"          ? kDType
           : field_ == "shape"        ? kShape
           : field_ == "data_offsets" ? kOffsets
                                      : 0;
  }
  bool known_field() const { return !in_metadata_ && field_bit() != 0; }
  bool fail(std::string message) {
    problem = std::move(message);
    return false;
  }
  bool wrong() {
    if (in_metadata_) return fail("the metadata are not all strings");
    if (depth_ <= 1) return fail("an entry is no object");
    return fail("'" + field_ + "' has a value of a wrong type");
  }
  /// A value that no known field takes.
  bool value() {
    if (depth_ <= 1 || in_metadata_ || known_field()) return wrong();
    return true;
  }
  bool integer(uint64_t number, bool not_negative) {
    if (depth_ != 3 || in_metadata_) return value();
    if (field_ == "shape") {
      if (!not_negative || number > INT64_MAX) return fail("a size is out of range");
      if (entry().shape.size() >= kMaxRank) return fail("the tensor has more than 64 dimensions");
      entry().shape.push_back(static_cast<int64_t>(number));
      return true;
    }
    if (field_ == "data_offsets") {
      if (!not_negative || offsets_ >= 2) return fail("'data_offsets' are not two numbers");
      (offsets_++ == 0 ? entry().begin : entry().end) = number;
      return true;
    }
    return value();
  }

  int depth_ = 0, offsets_ = 0;
  unsigned seen_ = 0;
  bool in_metadata_ = false;
  std::string name_, field_;
};

}  // namespace

Result<SafetensorsHeader> parse_safetensors_header(std::string_view json) {
  Handler handler;
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseStopWhenDoneFlag;
  const auto result = reader.Parse<kFlags>(stream, handler);
  if (result.IsError()) {
    const bool ours = result.Code() == rapidjson::kParseErrorTermination;
    return Error{
        handler.too_many ? ErrorCode::kLimit : ErrorCode::kCorrupt,
        ours ? handler.problem
             : std::string("the header is no JSON: ") + rapidjson::GetParseError_En(result.Code()),
        handler.place() + " › byte " + std::to_string(8 + result.Offset())};
  }
  const size_t end = stream.Tell();
  if (json[0] != '{' || json.find_first_not_of(" \t\r\n", end) != std::string_view::npos) {
    return Error{ErrorCode::kCorrupt, "something follows the JSON of the header",
                 "byte " + std::to_string(8 + end)};
  }
  return std::move(handler.header);
}

}  // namespace lanthorn
