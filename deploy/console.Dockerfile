# The console: static files behind a small web server, which also sends the API's addresses to the API.
FROM node:22-slim AS build
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

# Runs as a user without rights, listens on 8080, fills the template from the environment when it starts.
FROM nginxinc/nginx-unprivileged:1.29-alpine
COPY deploy/console/nginx.conf.template /etc/nginx/templates/default.conf.template
COPY --from=build /src/frontend/dist /usr/share/nginx/html
ENV CONSOLE_API_BASE="" CONSOLE_CHALLENGE_ORIGIN="" NGINX_ENVSUBST_FILTER=CONSOLE_
EXPOSE 8080
