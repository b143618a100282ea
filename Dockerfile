# The README's commands in a container: docker build -t vizvit . && docker run -p 127.0.0.1:8501:8501 vizvit
FROM python:3.11-slim
WORKDIR /vizvit
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
# Nobody who gets in is root; uid 1000 is the one that Hugging Face Spaces run.
RUN useradd --create-home --uid 1000 vizvit
USER vizvit
# Inside a container the app has to listen on all interfaces; what is published outside, -p decides.
ENV STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_SERVER_HEADLESS=true
EXPOSE 8501
CMD ["streamlit", "run", "app.py"]
