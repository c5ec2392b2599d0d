#include "serve/http_request.h"

#include <boost/beast/http.hpp>

#include "serve/validation.h"

namespace lanthorn {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string_view without_parameters(std::string_view value) {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

HttpAnswer refusal(unsigned status, std::string_view why) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = detail_json(why);
  return answer;
}

}  // namespace

void limit_parser(HttpParser& parser, const HttpLimits& limits) {
  parser.header_limit(limits.max_header_bytes);
  parser.body_limit(limits.max_body_bytes);
}

std::optional<HttpAnswer> refuse_head(const HttpParser& parser) {
  const auto& head = parser.get();
  if (head.count(http::field::content_length) == 0) return std::nullopt;
  if (!http::token_list(head[http::field::transfer_encoding]).exists("chunked")) return std::nullopt;
  return refusal(400, "a request has either Content-Length or Transfer-Encoding");
}

std::optional<HttpAnswer> refuse_unreadable(beast::error_code error, const HttpLimits& limits) {
  if (error == http::error::body_limit) {
    return refusal(413,
                   "the body is larger than " + std::to_string(limits.max_body_bytes) + " bytes");
  }
  if (error == http::error::header_limit) return refusal(431, "the head is too large");
  const bool unreadable = error.category() == http::make_error_code(http::error::bad_method).category() &&
                          error != http::error::end_of_stream &&
                          error != http::error::partial_message;
  if (!unreadable) return std::nullopt;
  return refusal(400, "bad request: " + error.message());
}

bool take_request(HttpParser& parser, HttpRequest& request) {
  auto& message = parser.get();
  request.method = std::string(message.method_string());
  request.content_type = lower(without_parameters(message[http::field::content_type]));
  request.content_encoding = lower(message[http::field::content_encoding]);
  const auto target = message.target();
  if (!decode_target(std::string_view(target.data(), target.size()), request.path)) return false;
  request.body = std::move(message.body());
  return true;
}

bool decode_target(std::string_view target, std::string& path) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (lower(target.substr(0, scheme.size())) != scheme) continue;
    const size_t slash = target.find('/', scheme.size());
    target = slash == target.npos ? "/" : target.substr(slash);
  }
  target = target.substr(0, target.find_first_of("?#"));
  if (target.empty() || target[0] != '/') return false;
  path.clear();
  for (size_t i = 0; i < target.size(); ++i) {
    const int high = target[i] == '%' && i + 2 < target.size() ? hex(target[i + 1]) : -1;
    const int low = high >= 0 ? hex(target[i + 2]) : -1;
    path += low >= 0 ? static_cast<char>(high * 16 + low) : target[i];
    if (low >= 0) i += 2;
  }
  return true;
}

}  // namespace lanthorn
