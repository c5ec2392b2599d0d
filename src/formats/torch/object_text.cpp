#include "formats/torch/object_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "formats/torch/object_walk.h"

namespace lanthorn {
namespace {

using Kind = Object::Kind;

constexpr size_t kMaxEntries = 500'000;
constexpr int kMaxDepth = 6;

std::string_view last_part(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == name.npos ? name : name.substr(dot + 1);
}

/// A class without the module that Python 2 or 3 keeps built-in ones in; empty for others.
std::string_view builtin_name(std::string_view name) {
  for (const std::string_view start : {"builtins.", "__builtin__."}) {
    if (!name.starts_with(start)) continue;
    name.remove_prefix(start.size());
    return name == "xrange" ? "range" : name;
  }
  return {};
}

/// torch.strided and its like are the texts of a call or of a name.
bool is_layout(std::string_view name) {
  return name == "torch.strided" || name.starts_with("torch.sparse_") || name == "torch.jagged";
}
bool is_scheme(std::string_view name) {
  return name.starts_with("torch.per_tensor_") || name.starts_with("torch.per_channel_");
}

/// Whole numbers of `count` bytes of a text, most significant first.
unsigned big_endian(std::string_view bytes, size_t at, size_t count) {
  unsigned value = 0;
  for (size_t i = at; i < at + count; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

/// What torch.nn.Module keeps in every module.
constexpr std::array<std::string_view, 16> kModuleInternals = {
    "_parameters",
    "_buffers",
    "_modules",
    "_non_persistent_buffers_set",
    "_backward_pre_hooks",
    "_backward_hooks",
    "_is_full_backward_hook",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
};

class Printer {
 public:
  Printer(const ObjectTree& tree, size_t limit) : tree_(tree), limit_(limit) {}

  void print(ObjectId id, int depth);
  std::string take() { return std::move(text_); }

 private:
  bool full() const { return text_.size() >= limit_; }
  void put(std::string_view more) {
    if (!full()) text_ += more;
    if (full() && !cut_) {
      text_.resize(std::min(text_.size(), limit_));
      // Not in the middle of a letter.
      while (!text_.empty() && (static_cast<uint8_t>(text_.back()) & 0xc0) == 0x80)
        text_.pop_back();
      if (!text_.empty() && static_cast<uint8_t>(text_.back()) >= 0xc0) text_.pop_back();
      text_ += "...";
      limit_ = 0;
      cut_ = true;
    }
  }
  void quoted(std::string_view text, bool bytes);
  void items(const Object& object, int depth);
  void entries(const Object& object, int depth);
  void instance(const Object& object, int depth);
  void attributes(ObjectId state, bool& first, int depth);
  bool known_instance(const Object& object, int depth);
  void date(std::string_view name, std::string_view bytes, ObjectId zone, int depth);
  const std::vector<ObjectId>& arguments(const Object& object) const {
    static const std::vector<ObjectId> kNone;
    return object.arguments == kNoObject ? kNone : tree_[object.arguments].items;
  }

  const ObjectTree& tree_;
  size_t limit_;
  bool cut_ = false;
  std::string text_;
};

void Printer::quoted(std::string_view text, bool bytes) {
  const bool has_single = text.find('\'') != text.npos, has_double = text.find('"') != text.npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string shown(bytes ? "b" : "");
  shown += quote;
  for (const char letter : text.substr(0, limit_)) {
    const auto code = static_cast<uint8_t>(letter);
    char escaped[8];
    if (letter == quote || letter == '\\') {
      (shown += '\\') += letter;
    } else if (letter == '\n' || letter == '\r' || letter == '\t') {
      (shown += '\\') += letter == '\n' ? 'n' : letter == '\r' ? 'r' : 't';
    } else if (code < 0x20 || code == 0x7f || (bytes && code >= 0x80)) {
      std::snprintf(escaped, sizeof escaped, "\\x%02x", code);
      shown += escaped;
    } else {
      shown += letter;
    }
  }
  put(shown + quote);
}

void Printer::items(const Object& object, int depth) {
  for (size_t i = 0; i < object.items.size() && !full(); ++i) {
    if (i > 0) put(", ");
    print(object.items[i], depth + 1);
  }
}

void Printer::entries(const Object& object, int depth) {
  put("{");
  for (size_t i = 0; i + 1 < object.items.size() && !full(); i += 2) {
    if (i > 0) put(", ");
    print(object.items[i], depth + 1);
    put(": ");
    print(object.items[i + 1], depth + 1);
  }
  put("}");
}

/// The bytes that datetime pickles: year, month, day, hour, minute, second, microsecond.
void Printer::date(std::string_view name, std::string_view bytes, ObjectId zone, int depth) {
  std::vector<unsigned> numbers;
  size_t at = 0;
  if (bytes.size() != 6) {
    numbers = {big_endian(bytes, 0, 2), big_endian(bytes, 2, 1) & 0x7f, big_endian(bytes, 3, 1)};
    at = 4;
  }
  if (bytes.size() >= 6) {
    numbers.push_back(big_endian(bytes, at, 1) & 0x7f);
    numbers.push_back(big_endian(bytes, at + 1, 1));
    const unsigned second = big_endian(bytes, at + 2, 1), micro = big_endian(bytes, at + 3, 3);
    if (second > 0 || micro > 0) numbers.push_back(second);
    if (micro > 0) numbers.push_back(micro);
  }
  put(std::string(name) + "(");
  for (size_t i = 0; i < numbers.size(); ++i) {
    put((i > 0 ? ", " : "") + std::to_string(numbers[i]));
  }
  if (zone != kNoObject) {
    put(", tzinfo=");
    print(zone, depth + 1);
  }
  put(")");
}

/// Classes of Python's library whose arguments are not what repr prints.
bool Printer::known_instance(const Object& object, int depth) {
  const std::string_view name = object.text;
  const std::vector<ObjectId>& given = arguments(object);
  const bool has_bytes = !given.empty() && tree_[given[0]].kind == Kind::kBytes;
  const size_t size = has_bytes ? tree_[given[0]].text.size() : 0;
  if ((name == "datetime.datetime" && size == 10) || (name == "datetime.date" && size == 4) ||
      (name == "datetime.time" && size == 6)) {
    date(name, tree_[given[0]].text, given.size() > 1 ? given[1] : kNoObject, depth);
    return true;
  }
  if (name == "datetime.timezone" && !given.empty()) {
    const std::vector<ObjectId>& offset = arguments(tree_[given[0]]);
    const bool zero = std::all_of(offset.begin(), offset.end(),
                                  [&](ObjectId part) { return tree_[part].integer == 0; });
    if (!zero) return false;
    put("datetime.timezone.utc");
    return true;
  }
  if (name == "datetime.timedelta" && given.size() == 3) {
    constexpr std::array<std::string_view, 3> kUnits = {"days", "seconds", "microseconds"};
    put("datetime.timedelta(");
    bool any = false;
    for (size_t i = 0; i < given.size(); ++i) {
      if (tree_[given[i]].integer == 0) continue;
      put((any ? ", " : "") + std::string(kUnits[i]) + "=" +
          std::to_string(tree_[given[i]].integer));
      any = true;
    }
    put(any ? ")" : "0)");
    return true;
  }
  if (name == "torch.serialization._get_layout" && given.size() == 1) {
    put(tree_[given[0]].text);
    return true;
  }
  if (builtin_name(name) == "range" && given.size() == 3 && tree_[given[2]].integer == 1) {
    put("range(");
    print(given[0], depth + 1);
    put(", ");
    print(given[1], depth + 1);
    put(")");
    return true;
  }
  if (name.starts_with("pathlib.")) {
    put(std::string(last_part(name)) + "(");
    quoted(path_text(tree_, given), false);
    put(")");
    return true;
  }
  return false;
}

void Printer::attributes(ObjectId state, bool& first, int depth) {
  if (state == kNoObject || depth > kMaxDepth) return;
  const Object& object = tree_[state];
  if (object.kind == Kind::kTuple) {
    for (const ObjectId part : object.items) {
      if (tree_[part].kind == Kind::kDict) attributes(part, first, depth + 1);
    }
  }
  if (object.kind != Kind::kDict) return;
  for (size_t i = 0; i + 1 < object.items.size() && !full(); i += 2) {
    if (!first) put(", ");
    first = false;
    put(object_key_text(tree_, object.items[i]) + "=");
    print(object.items[i + 1], depth + 1);
  }
}

void Printer::instance(const Object& object, int depth) {
  if (known_instance(object, depth)) return;
  const std::string_view builtin = builtin_name(object.text);
  put(builtin.empty() ? last_part(object.text) : builtin);
  put("(");
  bool first = true;
  for (const ObjectId argument : arguments(object)) {
    if (full()) break;
    if (!first) put(", ");
    first = false;
    print(argument, depth + 1);
  }
  if (is_module_state(tree_, object.state)) {
    put("module");
  } else {
    attributes(object.state, first, depth);
  }
  put(")");
}

void Printer::print(ObjectId id, int depth) {
  if (full()) return;
  if (id == kNoObject || depth > kMaxDepth) return put("...");
  const Object& object = tree_[id];
  const bool numpy = object.text.starts_with("numpy.");
  const auto number = [&](std::string text) {
    put(numpy ? "np." + std::string(last_part(object.text)) + "(" + text + ")" : text);
  };
  switch (object.kind) {
    case Kind::kNone:
      return put("None");
    case Kind::kBool:
      return put(std::string(numpy ? "np." : "") + (object.flag ? "True" : "False") +
                 (numpy ? "_" : ""));
    case Kind::kInt:
      return number(std::to_string(object.integer));
    case Kind::kBigInt:
      return put(object.text);
    case Kind::kFloat:
      return number(python_float_text(object.real));
    case Kind::kComplex: {
      const auto part = [](double value) {
        std::string text = python_float_text(value);
        return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
      };
      const std::string imaginary = part(object.imaginary);
      const bool bare = object.real == 0 && !std::signbit(object.real);
      const bool has_sign = imaginary.starts_with("-") || imaginary.starts_with("+");
      return number(bare ? imaginary + "j"
                         : "(" + part(object.real) + (has_sign ? "" : "+") + imaginary + "j)");
    }
    case Kind::kString:
      return quoted(object.text, false);
    case Kind::kBytes:
      if (object.flag) put("bytearray(");
      quoted(object.text, true);
      return put(object.flag ? ")" : "");
    case Kind::kList:
      put(object.text.empty() ? "[" : std::string(last_part(object.text)) + "([");
      items(object, depth);
      return put(object.text.empty() ? "]" : "])");
    case Kind::kTuple:
      put("(");
      items(object, depth);
      return put(object.items.size() == 1 ? ",)" : ")");
    case Kind::kSet:
    case Kind::kFrozenSet:
      put(object.kind == Kind::kSet ? object.items.empty() ? "set(" : "{" : "frozenset({");
      items(object, depth);
      return put(object.kind == Kind::kSet ? object.items.empty() ? ")" : "}" : "})");
    case Kind::kDict:
      if (!object.text.empty()) put(std::string(last_part(object.text)) + "(");
      entries(object, depth);
      return put(object.text.empty() ? "" : ")");
    case Kind::kTensor:
      return put((object.text == "numpy.ndarray" ? "array(" : "tensor(") +
                 std::string(dtype_name(object.tensor.dtype())) +
                 shape_text(object.tensor.shape()) + ")");
    case Kind::kSize:
      put("torch.Size([");
      items(object, depth);
      return put("])");
    case Kind::kDevice: {
      const size_t colon = object.text.find(':');
      return put("device(type='" + object.text.substr(0, colon) + "'" +
                 (colon == object.text.npos ? "" : ", index=" + object.text.substr(colon + 1)) +
                 ")");
    }
    case Kind::kDType:
      return put("torch." + object.text);
    case Kind::kGlobal:
      return put(last_part(object.text) == "Ellipsis" ? "Ellipsis" : std::string_view(object.text));
    case Kind::kInstance:
      return instance(object, depth);
  }
}

class Lister : public ObjectVisitor {
 public:
  explicit Lister(const ObjectTree& tree) : tree_(tree) {}

  Result<bool> visit(const std::string& name, ObjectId id) override {
    const Object& object = tree_[id];
    if (object.kind == Kind::kTensor) return false;
    const bool empty = object.kind == Kind::kNone ||
                       (object.kind != Kind::kInstance && object.kind >= Kind::kList &&
                        object.kind <= Kind::kDict && object.items.empty());
    const std::string_view last = last_part(name);
    if (last.starts_with('_') && empty &&
        std::find(kModuleInternals.begin(), kModuleInternals.end(), last) !=
            kModuleInternals.end()) {
      return false;
    }
    if (entries_.size() >= kMaxEntries) {
      return Error{ErrorCode::kLimit, "the file holds more than " + std::to_string(kMaxEntries) +
                                          " objects, which are too many to list"};
    }
    entries_.push_back({name, id});
    return !is_object_leaf(tree_, id);
  }
  std::vector<ObjectEntry> take() { return std::move(entries_); }

 private:
  const ObjectTree& tree_;
  std::vector<ObjectEntry> entries_;
};

}  // namespace

std::string python_float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t mark = text.find('e');
  int exponent = 0;
  const bool negative = text[mark + 1] == '-';
  std::from_chars(text.data() + mark + 2, text.data() + text.size(), exponent);
  if (negative) exponent = -exponent;
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto plain =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  std::string fixed(buffer, plain);
  return fixed.find('.') == fixed.npos ? fixed + ".0" : fixed;
}

std::string object_class(const ObjectTree& tree, ObjectId id) {
  const Object& object = tree[id];
  switch (object.kind) {
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kComplex:
    case Kind::kList:
    case Kind::kDict:
    case Kind::kTensor:
      return object.text;
    case Kind::kInstance:
      if (object.text == "torch.serialization._get_layout") return "torch.layout";
      return builtin_name(object.text).empty() ? object.text : std::string();
    case Kind::kSize:
      return "torch.Size";
    case Kind::kDevice:
      return "torch.device";
    case Kind::kDType:
      return "torch.dtype";
    default:
      return {};
  }
}

std::string object_type(const ObjectTree& tree, ObjectId id) {
  if (const std::string name = object_class(tree, id); !name.empty()) {
    return std::string(last_part(name));
  }
  switch (tree[id].kind) {
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
    case Kind::kBigInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kComplex:
      return "complex";
    case Kind::kString:
      return "str";
    case Kind::kBytes:
      return tree[id].flag ? "bytearray" : "bytes";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kSet:
      return "set";
    case Kind::kFrozenSet:
      return "frozenset";
    case Kind::kDict:
      return "dict";
    case Kind::kTensor:
      return "Tensor";
    case Kind::kGlobal:
      if (is_layout(tree[id].text)) return "layout";
      if (is_scheme(tree[id].text)) return "qscheme";
      return last_part(tree[id].text) == "Ellipsis" ? "ellipsis" : "global";
    case Kind::kInstance:
      return std::string(builtin_name(tree[id].text));
    default:
      return "object";
  }
}

std::string object_text(const ObjectTree& tree, ObjectId id, size_t limit) {
  Printer printer(tree, limit);
  printer.print(id, 0);
  return printer.take();
}

bool is_object_leaf(const ObjectTree& tree, ObjectId id) {
  const Object& object = tree[id];
  if (object.kind == Kind::kDict || object.kind == Kind::kList || object.kind == Kind::kTuple) {
    return false;
  }
  if (object.kind != Kind::kInstance) return true;
  constexpr std::array<std::string_view, 7> kPlain = {
      "datetime.", "decimal.", "fractions.", "pathlib.", "uuid.", "builtins.", "__builtin__."};
  if (std::any_of(kPlain.begin(), kPlain.end(),
                  [&](std::string_view start) { return object.text.starts_with(start); })) {
    return true;
  }
  // What is made from one plain value, as members of an enum are.
  if (object.state != kNoObject || !object.items.empty() || object.arguments == kNoObject) {
    return false;
  }
  const std::vector<ObjectId>& given = tree[object.arguments].items;
  return given.size() == 1 && tree[given[0]].kind <= Kind::kBytes;
}

Result<std::vector<ObjectEntry>> list_objects(const ObjectTree& tree) {
  Lister lister(tree);
  LAN_OK(walk_objects(tree, tree.root, lister));
  return lister.take();
}

}  // namespace lanthorn
