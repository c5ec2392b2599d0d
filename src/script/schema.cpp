#include "script/schema.h"

#include <charconv>
#include <cmath>

namespace lanthorn::script {
namespace {

bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == ':';
}

class SchemaParser {
 public:
  explicit SchemaParser(std::string_view text) : text_(text) {}

  Result<Schema> run() {
    Schema out;
    out.text = std::string(text_);
    std::string name(word());
    const size_t colons = name.find("::");
    if (colons == std::string::npos) return error("no namespace");
    if (const size_t dot = name.find('.', colons + 2); dot != std::string::npos) {
      out.overload = name.substr(dot + 1);
      name.resize(dot);
    }
    out.name = std::move(name);
    if (!accept("(")) return error("expected '('");
    bool keyword_only = false;
    while (!accept(")")) {
      if (accept("...")) {
        out.variadic = true;
      } else if (accept("*")) {
        keyword_only = true;
      } else {
        LAN_TRY(SchemaArgument argument, argument());
        argument.keyword_only = keyword_only;
        out.arguments.push_back(std::move(argument));
      }
      spaces();
      if (!accept(",") && text_.substr(at_, 1) != ")") return error("expected ',' or ')'");
    }
    return out;
  }

 private:
  Error error(std::string what) const {
    return {
        ErrorCode::kInternal,
        "schema '" + std::string(text_) + "' at " + std::to_string(at_) + ": " + std::move(what),
        "", ""};
  }
  void spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool accept(std::string_view symbol) {
    spaces();
    if (text_.substr(at_, symbol.size()) != symbol) return false;
    at_ += symbol.size();
    return true;
  }
  std::string_view word() {
    spaces();
    const size_t start = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  Result<SchemaArgument> argument() {
    SchemaArgument out;
    LAN_TRY(out.type, type());
    out.name = std::string(word());
    if (accept("=")) {
      out.has_default = true;
      LAN_TRY(out.fallback, value(out.type));
    }
    return out;
  }

  Result<SchemaType> type() {
    using Kind = SchemaType::Kind;
    SchemaType out;
    if (accept("(")) {
      out.kind = Kind::kTuple;
      while (!accept(")")) {
        LAN_TRY(SchemaType item, type());
        word();  // a name, perhaps
        out.args.push_back(std::move(item));
        accept(",");
      }
    } else {
      const std::string_view name = word();
      if (name.empty()) return error("expected a type");
      if (name == "Tensor")
        out.kind = Kind::kTensor;
      else if (name == "int" || name == "SymInt" || name == "Layout" || name == "MemoryFormat")
        out.kind = Kind::kInt;
      else if (name == "ScalarType")
        out.kind = Kind::kScalarType;
      else if (name == "float" || name == "double")
        out.kind = Kind::kFloat;
      else if (name == "complex")
        out.kind = Kind::kComplex;
      else if (name == "bool")
        out.kind = Kind::kBool;
      else if (name == "Scalar" || name == "number")
        out.kind = Kind::kNumber;
      else if (name == "str")
        out.kind = Kind::kString;
      else if (name == "Device")
        out.kind = Kind::kDevice;
      else if (name == "NoneType")
        out.kind = Kind::kNone;
      else if (name == "Dict")
        out.kind = Kind::kDict;
      else if (name.size() <= 4 && name[0] == 't')
        out.kind = Kind::kVariable;
      else
        out.kind = Kind::kAny;
      // Dict(str, Tensor), Future(t); or an alias annotation, Tensor(a!) or t(c -> *), which says
      // nothing here.
      if (out.kind == Kind::kDict) {
        if (!accept("(")) return error("expected '('");
        while (!accept(")")) {
          LAN_TRY(SchemaType item, type());
          out.args.push_back(std::move(item));
          accept(",");
        }
      }
      if (text_.substr(at_, 1) == "(") skip_parentheses();
    }
    while (true) {
      if (text_.substr(at_, 1) == "[") {
        ++at_;
        SchemaType list;
        list.kind = Kind::kList;
        const std::string_view size = word();
        std::from_chars(size.data(), size.data() + size.size(), list.fixed_size);
        if (!accept("]")) return error("expected ']'");
        list.args.push_back(std::move(out));
        out = std::move(list);
        if (text_.substr(at_, 1) == "(") skip_parentheses();
      } else if (text_.substr(at_, 1) == "?") {
        ++at_;
        out.optional = true;
      } else {
        return out;
      }
    }
  }

  void skip_parentheses() {
    while (at_ < text_.size() && text_[at_] != ')') ++at_;
    if (at_ < text_.size()) ++at_;
  }

  Result<Value> value(const SchemaType& type) {
    spaces();
    if (accept("[")) {
      std::vector<Value> items;
      while (!accept("]")) {
        LAN_TRY(Value item, value(type.args.empty() ? type : type.args[0]));
        items.push_back(std::move(item));
        accept(",");
      }
      return make_list(std::move(items));
    }
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
      const char quote = text_[at_++];
      const size_t end = text_.find(quote, at_);
      if (end == std::string_view::npos) return error("a string does not end");
      std::string out(text_.substr(at_, end - at_));
      at_ = end + 1;
      return Value(std::move(out));
    }
    const size_t start = at_;
    while (at_ < text_.size() && (in_name(text_[at_]) || text_[at_] == '-' || text_[at_] == '+'))
      ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if (word == "None") return Value(None{});
    if (word == "True") return Value::of_bool(true);
    if (word == "False") return Value::of_bool(false);
    if (word == "Mean") return Value(Dim(1));
    if (word == "contiguous_format" || word == "strided") return Value(Dim(0));
    if (word == "long") return Value(Dim(4));
    if (word == "inf") return Value::of_double(INFINITY);
    if (word == "-inf") return Value::of_double(-INFINITY);
    int64_t integer = 0;
    const auto whole = std::from_chars(word.data(), word.data() + word.size(), integer);
    if (whole.ec == std::errc() && whole.ptr == word.data() + word.size()) {
      if (type.kind == SchemaType::Kind::kFloat)
        return Value::of_double(static_cast<double>(integer));
      if (type.kind == SchemaType::Kind::kList && type.fixed_size > 0) {
        return make_list(
            std::vector<Value>(static_cast<size_t>(type.fixed_size), Value(Dim(integer))));
      }
      return Value(Dim(integer));
    }
    double real = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), real);
    if (word.empty() || parsed.ec != std::errc())
      return error("no default '" + std::string(word) + "'");
    return Value::of_double(real);
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<Schema> parse_schema(std::string_view text) { return SchemaParser(text).run(); }

}  // namespace lanthorn::script
